import {
  poolsOfProgram,
  rescueAction,
  rescueOptionsOf,
  type LostTaskChoice,
  type PoolSnapshot,
  type RescueAction,
  type RescueOptionSnapshot,
} from '../../protocol'
import { plainLine } from '../../words'
import { CliError } from '../errors'
import { resolveTarget } from '../ending/targets'
import { lockWords } from '../words/verdicts'
import { poolWord, shellWord } from '../words/shell'

/** What could be done to one pool. */
export interface Rescuable {
  readonly pool: PoolSnapshot
  readonly options: readonly RescueOptionSnapshot[]
}

/** What is going to be done to one pool: each action, and what it does in words. */
export interface RescuePlan {
  readonly pool: PoolSnapshot
  readonly steps: readonly { readonly action: RescueAction; readonly text: string }[]
}

/**
 * The pools that `text` names, and what can be done to each. A program stands for the pools in it.
 * @param task Only that task, and nothing else.
 * @throws TargetError, or CliError when there is nothing to rescue.
 */
export function rescuable(text: string, task: string | undefined, pools: readonly PoolSnapshot[]): Rescuable[] {
  const resolved = resolveTarget(text, pools)
  if (resolved.kind === 'ended') throw new CliError(`${resolved.description}; nothing to rescue`)
  const { target } = resolved
  const named = 'poolId' in target ? pools.find((pool) => pool.id === target.poolId) : undefined
  if (named === undefined) throw new CliError(`${text} is no pool`)
  const all = [named, ...poolsOfProgram(named, pools)]
    .map((pool) => ({ pool, options: rescueOptionsOf(pool) }))
    .filter(({ options }) => options.length > 0)
  if (all.length === 0)
    throw new CliError(`there is nothing to rescue in ${plainLine(named.name)}`, [
      `What is wrong with it, if anything: unhang why ${poolWord(named, pools)}`,
    ])
  return task === undefined ? all : onlyTask(all, task)
}

function onlyTask(all: readonly Rescuable[], task: string): Rescuable[] {
  const found = all
    .map(({ pool, options }) => ({
      pool,
      options: options.filter((option) => option.kind === 'task' && option.task === task),
    }))
    .filter(({ options }) => options.length > 0)
  if (found.length === 1) return found
  if (found.length > 1)
    throw new CliError(
      `task ${task} is lost in ${found.length} pools; say which one`,
      found.map(({ pool }) => `${pool.id}  ${plainLine(pool.name)}`),
    )
  const lost = all.flatMap(({ options }) =>
    options.flatMap((option) => (option.kind === 'task' ? [`${option.task}  ${plainLine(option.label)}`] : [])),
  )
  throw new CliError(
    `no task ${task} is lost here`,
    lost.length === 0 ? ['No task is: leave --task out.'] : ['Lost tasks:', ...lost],
  )
}

/** True when somebody has to say what becomes of a lost task. */
export function needsChoice(found: readonly Rescuable[]): boolean {
  return found.some(({ options }) => options.some((option) => option.kind === 'task'))
}

/** True when a lost task cannot run again: its arguments were not kept. */
export function tasksThatCannotRunAgain(found: readonly Rescuable[]): string[] {
  return found.flatMap(({ options }) =>
    options.flatMap((option) => (option.kind === 'task' && !option.retriable ? [option.task] : [])),
  )
}

/**
 * What will be done.
 * @param choice Of lost tasks; may be left out when there are none.
 * @throws CliError when `retry` is asked of a task that cannot run again: nothing is done by halves.
 */
export function rescuePlans(
  found: readonly Rescuable[],
  choice: LostTaskChoice | undefined,
  text: string,
): RescuePlan[] {
  const word = shellWord(text)
  if (choice === undefined && needsChoice(found)) {
    throw new CliError('say what becomes of the lost tasks', [
      `unhang rescue ${word} --fail    the program gets an exception (unhang_observer.WorkerLost, a ` +
        'multiprocessing.ProcessError)',
      `unhang rescue ${word} --retry   they run again`,
    ])
  }
  const stubborn = choice === 'retry' ? tasksThatCannotRunAgain(found) : []
  if (stubborn.length > 0) {
    throw new CliError(
      `${stubborn.length === 1 ? 'task' : 'tasks'} ${stubborn.slice(0, 10).join(', ')} cannot run again: the ` +
        'arguments were not kept',
      [
        `unhang rescue ${word} --fail${stubborn.length === 1 ? ` --task ${stubborn[0] ?? ''}` : ''}   makes the ` +
          "program's call raise instead",
      ],
    )
  }
  const kept = choice ?? 'fail'
  return found.map(({ pool, options }) => ({
    pool,
    steps: options.map((option) => ({ action: rescueAction(option, kept), text: stepText(option, kept) })),
  }))
}

function stepText(option: RescueOptionSnapshot, choice: LostTaskChoice): string {
  switch (option.kind) {
    case 'task': {
      const lost = `task ${option.task} ${option.label}, lost with ${option.worker} (pid ${option.pid})`
      return plainLine(choice === 'fail' ? `fail ${lost}: the program's call raises WorkerLost` : `run again ${lost}`)
    }
    case 'lock':
      return plainLine(
        `release the lock of ${lockWords(option.lock)}, which ${option.worker} (pid ${option.pid}) held when it died`,
      )
    case 'continue':
      return plainLine(`continue ${option.worker} (pid ${option.pid}), which is stopped (SIGCONT)`)
  }
}
