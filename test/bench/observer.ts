import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** From the issue: 100,000 no-ops, one a task. Interleaved, so that a busy moment of the machine meets both. */
const tasks = 100_000
const rounds = 9
const mostTimes = 1.05
/** Starts of the interpreter, each way. */
const starts = 25
const mostStartMs = 15

const observer = join(process.cwd(), 'dist', 'observer')

const noOps = `
import multiprocessing, sys, time
def nothing(number):
    pass
if __name__ == '__main__':
    with multiprocessing.Pool(2) as pool:
        pool.map(nothing, range(1000), chunksize=1)
        started = time.perf_counter()
        pool.map(nothing, range(${tasks}), chunksize=1)
        print(time.perf_counter() - started)
`

/** What the observer costs a program: in its tasks, and at its start. */
export async function run() {
  const pythons = findPythons()
  const session = await listen()
  try {
    const rows = []
    const data = []
    for (const { version, path } of pythons) {
      const seconds = await interleaved(rounds, (watched) => runNoOps(path, watched, session.folder))
      const times = median(seconds.map(([off, on]) => on / off))
      const [off, on] = [0, 1].map((way) => tasks / median(seconds.map((pair) => pair[way] ?? 0)))
      rows.push({
        what: `Python ${version}: Pool(2).map of ${tasks} no-ops, chunksize=1, watched / not`,
        value: `${times.toFixed(3)} (${Math.round(on ?? 0)} / ${Math.round(off ?? 0)} tasks/s)`,
        aim: `≤ ${mostTimes}`,
        ok: times <= mostTimes,
      })
      const later: Record<string, number> = {}
      for (const code of ['pass', 'import multiprocessing']) {
        const ms = await interleaved(starts, (watched) => runStart(path, code, watched, session.folder))
        later[code] = median(ms.map((pair) => pair[1] - pair[0]))
        rows.push({
          what: `Python ${version}: start-up of '${code}', watched − not`,
          value: `${later[code].toFixed(1)} ms`,
          aim: `≤ ${mostStartMs} ms`,
          ok: later[code] <= mostStartMs,
        })
      }
      data.push({ version, seconds, later })
    }
    return { name: 'observer', rows, data }
  } finally {
    session.close()
  }
}

/** A host that listens and says nothing, as the real one between two looks. */
async function listen() {
  const folder = mkdtempSync(join(tmpdir(), 'unhang-bench-observer-'))
  const server = createServer((socket) => {
    socket.resume().on('error', () => socket.destroy())
  })
  server.listen(join(folder, 'control.sock'))
  await once(server, 'listening')
  writeFileSync(
    join(folder, 'session.json'),
    JSON.stringify({ token: randomUUID(), arguments: true, stackSignal: null }),
  )
  return {
    folder,
    close: () => {
      server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Pairs of [not watched, watched], each round the other way round. */
async function interleaved(count: number, measure: (watched: boolean) => Promise<number>): Promise<[number, number][]> {
  // The first of each fills caches, compiled modules included.
  await measure(false)
  await measure(true)
  const pairs: [number, number][] = []
  for (let round = 0; round < count; round += 1) {
    const first = round % 2 === 1
    const one = await measure(first)
    const other = await measure(!first)
    pairs.push(first ? [other, one] : [one, other])
  }
  return pairs
}

async function runNoOps(python: string, watched: boolean, session: string): Promise<number> {
  const file = join(session, 'no_ops.py')
  writeFileSync(file, noOps)
  return Number(await output(python, [file], watched, session))
}

async function runStart(python: string, code: string, watched: boolean, session: string): Promise<number> {
  const started = performance.now()
  await output(python, ['-c', code], watched, session)
  return performance.now() - started
}

async function output(python: string, args: readonly string[], watched: boolean, session: string): Promise<string> {
  const watch = watched ? { UNHANG_WATCH: session, PYTHONPATH: observer } : {}
  const child = spawn(python, args, { env: { ...process.env, ...watch }, stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number | null]>])
  for (const file of readdirSync(session)) if (/\.rec$|^stack-/.test(file)) rmSync(join(session, file))
  if (code !== 0) throw new Error(`${python} ended with ${code}`)
  return printed
}

/** The oldest and the newest that are here. */
function findPythons(): { version: string; path: string }[] {
  const versions = join(homedir(), '.pyenv', 'versions')
  const candidates = [
    ...(existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, 'bin', 'python3')) : []),
    'python3',
  ]
  const found = new Map<number, { version: string; path: string }>()
  for (const path of candidates) {
    try {
      const version = execFileSync(path, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
        encoding: 'utf8',
      }).trim()
      const minor = Number(version.split('.')[1])
      if (version.startsWith('3.') && minor >= 8 && minor <= 13 && !found.has(minor))
        found.set(minor, { version, path })
    } catch {
      // Not this one.
    }
  }
  const sorted = [...found].sort(([one], [other]) => one - other).map(([, python]) => python)
  return sorted.filter((_, index) => index === 0 || index === sorted.length - 1)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
