import { programOf, rescueOptionsOf, verdictsOf, type PoolSnapshot, type PoolVerdictSnapshot, type RescueOptionSnapshot } from '../../protocol'
import { poolWord } from './shell'

/** Twenty workers that hang on the same thing are ended with their pool. */
const mostCommands = 3

/** A command to type, and what it does in few words. */
export interface ProposedCommand {
  readonly command: string
  readonly does: string
}

/** What to type about what is wrong in a pool: its rescue where there is one, else how to end what is stuck. Each command once. */
export function proposedCommands(pool: PoolSnapshot, pools: readonly PoolSnapshot[]): ProposedCommand[] {
  const options = rescueOptionsOf(pool)
  if (options.length > 0) return rescueCommands(options, poolWord(pool, pools))
  const program = programOf(pool, pools)
  const stuck = verdictsOf(pool).filter((verdict) => verdict.stuck)
  if (stuck.length === 0) return []
  if (program !== undefined) return [{ command: `unhang terminate ${poolWord(program, pools)}`, does: 'end the program' }]
  const pids = stuck.flatMap(({ pid }) => pid ?? []).slice(0, mostCommands)
  if (pids.length === 0) return [{ command: `unhang terminate ${poolWord(pool, pools)}`, does: 'end the pool' }]
  return pids.map((pid) => ({ command: `unhang terminate ${pid}`, does: 'end this worker; the pool goes on' }))
}

function rescueCommands(options: readonly RescueOptionSnapshot[], word: string): ProposedCommand[] {
  const tasks = options.filter((option) => option.kind === 'task')
  const also = options.filter((option) => option.kind !== 'task').map(effectOf)
  const [first] = tasks
  if (first === undefined) return [{ command: `unhang rescue ${word}`, does: also.join(', ') }]
  // Without --task it does everything, so that is left out where there is more to do.
  const only = options.length === 1 ? ` --task ${first.task}` : ''
  const subject = tasks.length === 1 ? `task ${first.task}` : tasks.length === 2 ? 'both lost tasks' : `all ${tasks.length} lost tasks`
  return [
    { command: `unhang rescue ${word} --fail${only}`, does: [`the program gets an exception for ${subject}`, ...also].join(', ') },
    ...(tasks.every(({ retriable }) => retriable) ? [{ command: `unhang rescue ${word} --retry${only}`, does: [`${subject} ${tasks.length === 1 ? 'runs' : 'run'} again`, ...also].join(', ') }] : []),
    ...(tasks.length > 1 ? [{ command: `unhang rescue ${word} --fail --task ${first.task}`, does: 'only that one' }] : []),
  ]
}

function effectOf(option: RescueOptionSnapshot): string {
  switch (option.kind) {
    case 'task': return `task ${option.task}`
    case 'lock': return `the lock of ${lockWords(option.lock)} is released`
    case 'continue': return `${option.worker} is continued`
  }
}

/** `the task queue`. */
export function lockWords(lock: 'tasks' | 'results'): string {
  return lock === 'tasks' ? 'the task queue' : 'the result queue'
}

/** `stuck (lost-task)`, `slow, not stuck`. */
export function verdictTag(verdict: Pick<PoolVerdictSnapshot, 'code' | 'stuck'>): string {
  return verdict.stuck ? `stuck (${verdict.code})` : `${verdict.code}, not stuck`
}

/** `train.py:42 in train.py`, and what it is beside that. */
export function poolTitle(pool: PoolSnapshot, pools: readonly PoolSnapshot[]): string {
  if (pool.program !== null) return `${pool.name}  ${pool.id}  ${programWords(pool, pools)}`
  const program = programOf(pool, pools)
  const place = program === undefined ? '' : `  in ${program.name}${program.program?.pid == null ? '' : ` (pid ${program.program.pid})`}`
  return `${pool.name}  ${pool.id}${place}`
}

/** `pid 4711, python 3.11.7, 2 pools`, `exit 1`. */
export function programWords(pool: PoolSnapshot, pools: readonly PoolSnapshot[]): string {
  const { program } = pool
  if (program === null) return ''
  const inside = pools.filter((other) => other.programId === pool.id && other.state !== 'ended').length
  return [
    program.pid === null ? 'not started' : `pid ${program.pid}`,
    ...(program.python === null ? [] : [`python ${program.python}`]),
    ...(inside > 0 ? [`${inside} ${inside === 1 ? 'pool' : 'pools'}`] : []),
    ...(program.readOnly ? ['attached, only looked at'] : []),
    ...(inside === 0 && pool.state !== 'ended' && program.observer === 'waiting' ? ['has made no pool yet'] : []),
    ...(program.observer === 'failed' ? [`not observed: ${program.message ?? 'the observer failed'}`] : []),
  ].join(', ')
}
