import { programOf, rescueOptionsOf, type PoolSnapshot, type PoolVerdictSnapshot, type RescueOptionSnapshot } from '../../protocol'
import { poolWord } from './shell'

/** A command to type, and what it does in few words. */
export interface ProposedCommand {
  readonly command: string
  readonly does: string
}

/** More lost tasks than this, and two lines for each would bury everything else. */
const namedTasks = 3

/** What to type about a verdict: the rescue where there is one, else how to end what is stuck. */
export function proposedCommands(verdict: PoolVerdictSnapshot, pool: PoolSnapshot, pools: readonly PoolSnapshot[]): ProposedCommand[] {
  const word = poolWord(pool, pools)
  const { rescue } = verdict
  const tasks = rescue.filter((option) => option.kind === 'task')
  const others = rescue.filter((option) => option.kind !== 'task')
  const proposed: ProposedCommand[] = []
  // A rescue without --task does all of them, locks and stopped workers included.
  if (others.length > 0 && tasks.length === 0 && rescueOptionsOf(pool).every((option) => option.kind !== 'task')) {
    return [{ command: `unhang rescue ${word}`, does: others.map(effectOf).join(', ') }]
  }
  if (tasks.length > namedTasks) {
    const retriable = tasks.every((option) => option.retriable)
    return [
      { command: `unhang rescue ${word} --fail`, does: `all ${tasks.length} lost tasks: the program gets an exception` },
      ...(retriable ? [{ command: `unhang rescue ${word} --retry`, does: 'they all run again' }] : []),
      { command: `unhang rescue ${word} --fail --task ${tasks[0]?.task ?? ''}`, does: 'one of them' },
    ]
  }
  for (const { task, retriable } of tasks) {
    proposed.push({ command: `unhang rescue ${word} --fail --task ${task}`, does: 'the program gets an exception' })
    if (retriable) proposed.push({ command: `unhang rescue ${word} --retry --task ${task}`, does: 'the task runs again' })
  }
  if (others.length > 0) proposed.push({ command: `unhang rescue ${word} --fail`, does: `${others.map(effectOf).join(', ')}, and lost tasks are failed` })
  if (proposed.length > 0) return proposed
  if (!verdict.stuck) return []
  const ofWatched = programOf(pool, pools) !== undefined
  if (verdict.pid !== null && !ofWatched) return [{ command: `unhang terminate ${verdict.pid}`, does: 'end it' }]
  const program = programOf(pool, pools) ?? pool
  return [{ command: `unhang terminate ${poolWord(program, pools)}`, does: ofWatched ? 'end the program' : 'end the pool' }]
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
