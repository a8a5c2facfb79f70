import { describe, expect, test } from 'vitest'
import { terminationPlatforms } from '../../../src/protocol/schemas'
import {
  detectPlatform,
  platforms,
  TerminationConfig,
  TerminationConfigError,
  terminationPresets,
  type TerminationFields,
} from '../../../src/shutdown'

describe('the platforms', () => {
  test.each([
    ['borg', 'sigterm', 42, 0],
    ['borg-tpu', 'sigterm', 42, 0],
    ['gcp-gpu', 'metadata', 143, 3_600_000],
    ['gcp-cpu', 'metadata', 143, 0],
    ['slurm', 'sigterm', 42, 0],
    ['other', 'sigterm', 42, 0],
  ] as const)("have TensorFlow's numbers: %s", (platform, watch, exitCode, gracePeriodMs) => {
    expect(terminationPresets[platform]).toEqual({ watch, exitCode, gracePeriodMs })
    expect(new TerminationConfig().for(platform)).toMatchObject({
      platform,
      exitCode,
      gracePeriodMs,
      exit: undefined,
      save: undefined,
    })
    expect(new TerminationConfig().for(platform).terminationWatcher === undefined).toBe(watch === 'sigterm')
  })

  test('are the same for tasks.json', () => {
    expect(terminationPlatforms).toEqual(platforms)
  })

  test('are told by the environment', async () => {
    expect(await detectPlatform({ env: { SLURM_JOB_ID: '17' } })).toBe('slurm')
    expect(await detectPlatform({ env: { SLURM_JOB_ID: '17', UNHANG_PLATFORM: 'borg-tpu' } })).toBe('borg-tpu')
    expect(await detectPlatform({ env: { UNHANG_PLATFORM: 'moon' }, productName: () => 'PC' })).toBe('other')
  })
})

describe('a TerminationConfig', () => {
  test('goes before the preset in every field', () => {
    const save = (): void => undefined
    const terminationWatcher = { watch: () => () => undefined }
    const complete = new TerminationConfig({ terminationWatcher, exit: 7, gracePeriodMs: 60_000, save }).for('gcp-cpu')
    expect(complete).toEqual({
      platform: 'gcp-cpu',
      terminationWatcher,
      exit: undefined,
      exitCode: 7,
      gracePeriodMs: 60_000,
      save,
    })
  })

  test('honours an explicit 0: no grace period on a GPU machine, exit code 0', () => {
    expect(new TerminationConfig({ gracePeriodMs: 0, exit: 0 }).for('gcp-gpu')).toMatchObject({
      gracePeriodMs: 0,
      exitCode: 0,
    })
  })

  test('may name the other kind of notice', () => {
    expect(new TerminationConfig({ terminationWatcher: 'sigterm' }).for('gcp-gpu').terminationWatcher).toBeUndefined()
    expect(new TerminationConfig({ terminationWatcher: 'metadata' }).for('borg').terminationWatcher).toBeDefined()
  })

  test("keeps the exit code of the platform beside an exit of one's own", () => {
    const exit = (): void => undefined
    expect(new TerminationConfig({ exit }).for('gcp-gpu')).toMatchObject({ exit, exitCode: 143 })
    expect(new TerminationConfig({ exit, exitCode: 3 }).for('gcp-gpu')).toMatchObject({ exit, exitCode: 3 })
  })

  test('is completed for the platform that it names, without a look at the machine', async () => {
    expect(
      await new TerminationConfig({ platform: 'slurm' }).complete({
        productName: () => {
          throw new Error('looked')
        },
      }),
    ).toMatchObject({ platform: 'slurm' })
  })

  test.each([
    [{ platform: 'moon' }, 'platform'],
    [{ terminationWatcher: 3 }, 'terminationWatcher'],
    [{ exit: 256 }, 'exit'],
    [{ exit: 1.5 }, 'exit'],
    [{ exitCode: -1 }, 'exitCode'],
    [{ gracePeriodMs: -1 }, 'gracePeriodMs'],
    [{ gracePeriodMs: 2 ** 31 }, 'gracePeriodMs'],
    [{ gracePeriodMs: Number.NaN }, 'gracePeriodMs'],
    [{ save: 'save.sh' }, 'save'],
  ] as unknown as [TerminationFields, string][])('names the field that cannot be used: %j', (fields, field) => {
    const make = (): TerminationConfig => new TerminationConfig(fields)
    expect(make).toThrow(TerminationConfigError)
    expect(make).toThrow(`"${field}"`)
  })
})
