import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'
import { SlowestFirst } from './harness/slowestFirst.mjs'

/** What measures time, or gives a program a time to end in: nothing of ours may run beside it. */
const alone = [
  'test/integration/programs/healthy.test.ts',
  'test/integration/core/soak.test.ts',
  'test/integration/hostile/hostLoop.test.ts',
  'test/integration/hostile/stoppedHost.test.ts',
  'test/integration/shutdown/nextLine/**/*.test.ts',
]
/** What must never happen, not even one time in two: a signal to a stranger, a false alarm, a lost result. */
const never = [
  'test/integration/shutdown/**/*.test.ts',
  'test/integration/hostile/**/*.test.ts',
  'test/integration/processes/processTable.test.ts',
  'test/integration/programs/hostile.test.ts',
  'test/integration/programs/libraries.test.ts',
  'test/integration/host/death.test.ts',
  'test/integration/host/hostile.test.ts',
  'test/integration/core/ported/**/*.test.ts',
  'test/integration/core/properties/**/*.test.ts',
  'test/integration/core/shutdown.test.ts',
]
const integration = 'test/integration/**/*.test.ts'
/** Left out by `npm run integration:quick`: files of a minute and more, and those about odd machines. */
const leftOut = process.env.UNHANG_QUICK
  ? [
      'cli/rescue',
      'cli/run',
      'core/properties/sequences',
      'hostile/*',
      'programs/libraries',
      'programs/node',
      'programs/verdicts',
      'runtimes/observer/cpython',
      'runtimes/observer/snapshot',
      'shutdown/nextLine/*',
    ].map((name) => `test/integration/${name}.test.ts`)
  : []
/**
 * With real processes, and two thirds of the time waiting for them (six of the longest files took 250 s of a core in
 * 700 s): three files for two cores.
 */
const minutes = {
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  testTimeout: 60_000,
  hookTimeout: 60_000,
  globalSetup: 'test/integration/runtimes/pythonSetup.ts',
  runner: 'test/integration/runtimes/pythonRunner.ts',
  // The runner reads the lines of a test.
  includeTaskLocation: true,
}

/**
 * Unit tests need no process; integration tests use real ones and the built dist/; e2e tests act as a user in a real VS
 * Code (those in test/e2e/host run inside its extension host and are mocha's, see test/harness/extensionHost.mjs).
 * Thousands of real processes on a busy machine: a test that fails is tried once more, and `npm test` names it with the
 * message of the first attempt; more than three such tests fail the run (test/harness/tally.mjs). What must never
 * happen has no second attempt.
 */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // Processes are the subject: a thread would share pid and signals with the runner.
    pool: 'forks',
    // Vitest leaves a core to itself by default, which is half of a machine with two.
    maxWorkers: '100%',
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        extends: true,
        // A unit test leaves nothing behind, so a process can run many files: most of the time was starting processes.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false, testTimeout: 30_000 },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: [integration],
          exclude: [...alone, ...never, ...leftOut],
          ...minutes,
          retry: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration-never',
          include: never,
          exclude: [...alone, ...leftOut],
          ...minutes,
          retry: 0,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration-alone',
          include: alone,
          ...minutes,
          retry: 0,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/e2e/host/**'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          retry: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
