import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/**
 * Unit tests need no process; integration tests use real ones and the built dist/; e2e tests act as a user in a real VS
 * Code (those in test/e2e/host run inside its extension host and are mocha's, see test/harness/extensionHost.mjs).
 * Thousands of real processes on a busy machine: what fails once is tried once more, and `npm test` names it with what
 * it said, so that nobody misses it. What must never happen at all (a false alarm) has no second attempt: `retry: 0` in
 * the test.
 */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // Processes are the subject: a thread would share pid and signals with the runner.
    pool: 'forks',
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          retry: 1,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/host/**'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          retry: 1,
        },
      },
    ],
  },
})
