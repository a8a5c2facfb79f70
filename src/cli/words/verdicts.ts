import {
  programOf,
  rescueOptionsOf,
  verdictsOf,
  type PoolSnapshot,
  type PoolVerdictSnapshot,
  type RescueOptionSnapshot,
} from '../../protocol'
import { poolWord } from './shell'

/** Twenty workers that hang on the same thing are ended with their pool. */
const mostCommands = 3

/** A command to type, and what it does in few words. */
export interface ProposedCommand {
  readonly command: string
  readonly does: string
}

/** Verdicts that one advice stands for, and what to type about them. */
export interface AdvisedVerdicts {
  readonly advice: string
  readonly verdicts: readonly PoolVerdictSnapshot[]
  readonly commands: readonly ProposedCommand[]
}

/**
 * Everything that is wrong in a pool, each with what to type about it: its rescue where there is one, else how to look
 * into or end what is stuck. Each command once.
 */
export function advisedVerdicts(pool: PoolSnapshot, pools: readonly PoolSnapshot[]): AdvisedVerdicts[] {
  const groups: PoolVerdictSnapshot[][] = []
  for (const verdict of verdictsOf(pool)) {
    const before = groups.at(-1)
    if (before?.[0]?.advice === verdict.advice && before[0].code === verdict.code && before[0].stuck === verdict.stuck)
      before.push(verdict)
    else groups.push([verdict])
  }
  const proposed = new Set<string>()
  return groups.map((verdicts) => ({
    advice: verdicts[0]?.advice ?? '',
    verdicts,
    commands:
      pool.state === 'ended'
        ? []
        : commandsAbout(verdicts, pool, pools).filter(({ command }) => !proposed.has(command) && proposed.add(command)),
  }))
}

/** @param verdicts Of one kind. */
function commandsAbout(
  verdicts: readonly PoolVerdictSnapshot[],
  pool: PoolSnapshot,
  pools: readonly PoolSnapshot[],
): ProposedCommand[] {
  const all = rescueOptionsOf(pool)
  const options = rescueOptionsOf({ verdicts: [...verdicts], state: pool.state })
  if (options.length > 0) return rescueCommands(options, all, poolWord(pool, pools))
  const [first] = verdicts
  if (first?.stuck !== true) return []
  const program = programOf(pool, pools)
  const pids = verdicts.flatMap(({ pid }) => pid ?? []).slice(0, mostCommands)
  // What does not listen to SIGTERM is not ended by one more.
  if (first.code === 'sigterm-ignored' && pids.length > 0)
    return pids.map((pid) => ({ command: `unhang kill ${pid}`, does: 'end this worker with SIGKILL' }))
  const stacks =
    first.code === 'no-progress' && canShowStacks(program)
      ? pids.map((pid) => ({ command: `unhang stacks ${pid}`, does: 'where it is' }))
      : []
  return [...stacks, ...endingCommands(pids, program, all.length > 0, pool, pools)]
}

function endingCommands(
  pids: readonly number[],
  program: PoolSnapshot | undefined,
  isRescuable: boolean,
  pool: PoolSnapshot,
  pools: readonly PoolSnapshot[],
): ProposedCommand[] {
  // A rescue may let all of it go on.
  if (program !== undefined)
    return isRescuable ? [] : [{ command: `unhang terminate ${poolWord(program, pools)}`, does: 'end the program' }]
  if (pids.length === 0) return [{ command: `unhang terminate ${poolWord(pool, pools)}`, does: 'end the pool' }]
  return pids.map((pid) => ({ command: `unhang terminate ${pid}`, does: 'end this worker; the pool goes on' }))
}

function canShowStacks(program: PoolSnapshot | undefined): boolean {
  return program?.program?.observer === 'inside' || program?.program?.python != null
}

/**
 * @param options What could be done about some verdicts.
 * @param all What could be done to their pool: a rescue without --task does all of it.
 */
function rescueCommands(
  options: readonly RescueOptionSnapshot[],
  all: readonly RescueOptionSnapshot[],
  word: string,
): ProposedCommand[] {
  const about = options.filter((option) => option.kind === 'task')
  const [first] = about
  if (first !== undefined && about.length === 1) {
    return taskCommands(about, `${word} --fail --task ${first.task}`, `${word} --retry --task ${first.task}`, [])
  }
  const tasks = all.filter((option) => option.kind === 'task')
  const others = all.filter((option) => option.kind !== 'task').map(effectOf)
  if (tasks.length === 0) return [{ command: `unhang rescue ${word}`, does: others.join(', ') }]
  return [
    ...taskCommands(tasks, `${word} --fail`, `${word} --retry`, others),
    ...(first === undefined
      ? []
      : [{ command: `unhang rescue ${word} --fail --task ${first.task}`, does: 'only that one' }]),
  ]
}

function taskCommands(
  tasks: readonly Extract<RescueOptionSnapshot, { kind: 'task' }>[],
  fail: string,
  retry: string,
  also: readonly string[],
): ProposedCommand[] {
  const subject =
    tasks.length === 1
      ? `task ${tasks[0]?.task ?? ''}`
      : tasks.length === 2
        ? 'both lost tasks'
        : `all ${tasks.length} lost tasks`
  return [
    { command: `unhang rescue ${fail}`, does: [`the program gets an exception for ${subject}`, ...also].join(', ') },
    ...(tasks.every(({ retriable }) => retriable)
      ? [
          {
            command: `unhang rescue ${retry}`,
            does: [`${subject} ${tasks.length === 1 ? 'runs' : 'run'} again`, ...also].join(', '),
          },
        ]
      : []),
  ]
}

function effectOf(option: RescueOptionSnapshot): string {
  switch (option.kind) {
    case 'task':
      return `task ${option.task}`
    case 'lock':
      return `the lock of ${lockWords(option.lock)} is released`
    case 'continue':
      return `${option.worker} is continued`
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
  const place =
    program === undefined
      ? ''
      : `  in ${program.name}${program.program?.pid == null ? '' : ` (pid ${program.program.pid})`}`
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
    ...(program.readOnly ? ['attached, read-only'] : []),
    ...(inside === 0 && pool.state !== 'ended' && program.observer === 'waiting' ? ['has made no pool yet'] : []),
    ...(program.observer === 'failed' ? [`not observed: ${program.message ?? 'the observer failed'}`] : []),
  ].join(', ')
}
