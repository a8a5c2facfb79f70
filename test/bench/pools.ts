import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

interface Row {
  what: string
  value: string
  aim: string
  ok: boolean | null
}

const rounds = 5
const folder = join(process.cwd(), 'test/bench/peers')
const peers = ['tinypool', 'tinypool, 4 at a time', 'workerpool', 'jest-worker']
const execute = promisify(execFile)

/**
 * Our pool of Node workers against other pools of processes, two workers each. Every figure is measured in a process of
 * its own, all systems in turn in each round; what counts is the median of the rounds' ratios, since rates drift with
 * what else the machine does.
 */
export async function run(): Promise<{ name: string; rows: Row[]; data: unknown }> {
  installPeers()
  const rows: Row[] = []
  const data: Record<string, unknown> = {}

  for (const [figure, what, unit, aim] of [
    ['noop', 'no-op applyAsync', 'tasks/s', 5],
    ['buffer', '1 MB Buffer there and back', '/s', 1.2],
  ] as const) {
    const rates = await inTurn(figure, ['unhang', ...peers])
    data[figure] = rates
    rows.push(...rateRows(what, unit, rates))
    const ratio = median(ratiosToBest(rates, Math.max, (ours, best) => ours / best))
    rows.push({
      what: `${what}: ours / best of the peers`,
      value: `${ratio.toFixed(2)} ×`,
      aim: `≥ ${aim} ×`,
      ok: ratio >= aim,
    })
  }

  const starts = await inTurn('start', ['unhang', ...peers])
  data.start = starts
  for (const [system, values] of Object.entries(starts))
    rows.push({
      what: `two workers to the first result, ${system}`,
      value: `${median(values).toFixed(0)} ms`,
      aim: '',
      ok: null,
    })
  const start = median(ratiosToBest(starts, Math.min, (ours, best) => ours / best))
  rows.push({
    what: 'two workers to the first result: ours / best of the peers',
    value: `${start.toFixed(2)} ×`,
    aim: '≤ 1 ×',
    ok: start <= 1,
  })

  for (const python of pythons()) {
    for (const [figure, ours, what, aim] of [
      ['apply_async', 'noop', 'no-op applyAsync / CPython apply_async', 2],
      ['map', 'map', 'map() of 1,000,000, default chunks / CPython map', 1],
    ] as const) {
      const ratios: number[] = []
      for (let round = 0; round < rounds; round++) {
        const theirs = Number((await execute(python.path, [join(folder, 'measure.py'), figure])).stdout)
        ratios.push((await measure('unhang', ours)) / theirs)
      }
      data[`${figure} ${python.version}`] = ratios
      rows.push({
        what: `${what} (${python.version})`,
        value: `${median(ratios).toFixed(2)} ×`,
        aim: `≥ ${aim} ×`,
        ok: median(ratios) >= aim,
      })
    }
  }

  const mixed = median(await several('mixed'))
  rows.push({
    what: '2,000 tasks of 10 µs and 200 of 10 ms, two functions mixed: time / ideal schedule',
    value: `${mixed.toFixed(2)} ×`,
    aim: '≤ 1.1 ×',
    ok: mixed <= 1.1,
  })
  const mixedInOne = median(await several('mixedInOne'))
  rows.push({ what: 'the same, all of one function', value: `${mixedInOne.toFixed(2)} ×`, aim: '', ok: null })
  const bytes = median(await several('memory', 3))
  rows.push({
    what: 'memory of a queued task and its result, of 1,000,000',
    value: `${bytes.toFixed(0)} bytes`,
    aim: '≤ 300 bytes',
    ok: bytes <= 300,
  })
  const ending = median(await several('terminate'))
  rows.push({
    what: 'terminate with 10,000 queued tasks and two stubborn workers, grace period 100 ms',
    value: `${ending.toFixed(0)} ms`,
    aim: '≤ 600 ms',
    ok: ending <= 600,
  })
  return { name: 'Pools', rows, data: { ...data, mixed, mixedInOne, bytes, ending } }
}

/** Rates of each system, by round. */
async function inTurn(figure: string, systems: readonly string[]): Promise<Record<string, number[]>> {
  const values: Record<string, number[]> = {}
  for (let round = 0; round < rounds; round++) {
    for (const system of systems) (values[system] ??= []).push(await measure(system, figure))
  }
  return values
}

async function several(figure: string, times = rounds): Promise<number[]> {
  const values: number[] = []
  for (let time = 0; time < times; time++) values.push(await measure('unhang', figure))
  return values
}

async function measure(system: string, figure: string): Promise<number> {
  // Certificates of an organisation take a Node process longer to read than all the rest of its start, and not every
  // pool passes its environment on.
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: '' }
  const { stdout } = await execute(process.execPath, [join(folder, 'measure.mjs'), system, figure], {
    timeout: 120_000,
    env,
  })
  return Number(stdout)
}

function rateRows(what: string, unit: string, rates: Record<string, number[]>): Row[] {
  return Object.entries(rates).map(([system, values]) => ({
    what: `${what}, ${system}`,
    value: `${median(values).toFixed(0)} ${unit}`,
    aim: '',
    ok: null,
  }))
}

function ratiosToBest(
  values: Record<string, number[]>,
  best: (...rates: number[]) => number,
  ratio: (ours: number, best: number) => number,
): number[] {
  return (values.unhang ?? []).map((ours, round) =>
    ratio(ours, best(...peers.map((peer) => values[peer]?.[round] ?? Number.NaN))),
  )
}

/** Their own package.json and lock: nothing but this bench needs them. */
function installPeers(): void {
  if (existsSync(join(folder, 'node_modules', 'tinypool'))) return
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
}

/** The oldest and the newest of what pyenv has beside the one on PATH: CPython's pool has become faster. */
function pythons(): { path: string; version: string }[] {
  const versions = join(homedir(), '.pyenv/versions')
  const known = existsSync(versions) ? readdirSync(versions).filter((name) => /^3\.(?:11|13)\./.test(name)) : []
  const found = known.map((version) => ({
    path: join(versions, version, 'bin/python3'),
    version: `CPython ${version}`,
  }))
  return found.length > 0 ? found : [{ path: 'python3', version: 'python3' }]
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
