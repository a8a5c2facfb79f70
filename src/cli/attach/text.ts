import { poolsOfProgram, type PoolSnapshot, type WorkerSnapshot } from '../../protocol'
import { plainLines } from '../../words'
import { plainPalette, type Palette } from '../output/palette'
import { plural } from '../words/plural'
import { programWords } from '../words/verdicts'

/** The processes of a program: itself, its own workers, its pools with theirs. */
export function programTree(
  program: PoolSnapshot,
  pools: readonly PoolSnapshot[],
  palette: Palette = plainPalette,
): string[] {
  const clean = plainLines(program)
  return [
    `${palette.bold(clean.name)}  ${clean.id}  ${programWords(clean, pools)}`,
    ...workerLines(clean.workers, '  '),
    ...poolsOfProgram(program, pools)
      .map((pool) => plainLines(pool))
      .flatMap((pool) => [
        `  ${pool.name}  ${pool.id}  ${plural(pool.workers.filter(isLive).length, 'worker')}`,
        ...workerLines(pool.workers, '    '),
      ]),
  ]
}

function workerLines(workers: readonly WorkerSnapshot[], indent: string): string[] {
  return workers.filter(isLive).map(({ pid, name, status }) => `${indent}${pid}  ${name}  ${status}`)
}

function isLive(worker: WorkerSnapshot): boolean {
  return worker.status !== 'exited'
}

/** Every live process of a program that has a name, by pid. */
export function namedPids(program: PoolSnapshot, pools: readonly PoolSnapshot[]): Map<number, string> {
  const named = new Map<number, string>()
  for (const pool of [program, ...poolsOfProgram(program, pools)]) {
    for (const worker of pool.workers.filter(isLive)) if (worker.pid > 0) named.set(worker.pid, worker.name)
  }
  if (program.program?.pid != null) named.set(program.program.pid, program.name)
  return named
}
