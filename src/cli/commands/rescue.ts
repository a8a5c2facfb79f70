import { type HostConnection } from '../../discovery'
import type { LostTaskChoice } from '../../protocol'
import { plainLine } from '../../words'
import { CliError, TargetError } from '../errors'
import { exitCodes, type ExitCode } from '../exitCodes'
import { confirmed, type Questions } from '../output/questions'
import {
  needsChoice,
  rescuable,
  rescuePlans,
  tasksThatCannotRunAgain,
  type Rescuable,
  type RescuePlan,
} from '../rescue/plan'
import type { CommandContext, Command } from './context'
import { freshPools } from './why'

/** Each action is checked inside the program once more, which may be busy. */
const rescueTimeoutMs = 60_000

export interface RescueOptions {
  readonly fail?: true
  readonly retry?: true
  readonly task?: string
  readonly yes?: true
}

/**
 * `unhang rescue POOL`: makes a program that waits for ever go on. Says what it will do, asks, does it. Exit code 1
 * unless all of it was done.
 */
export const rescue: Command<[string, RescueOptions]> = async (context, text, options) => {
  const { access } = context
  const exit = await access.runningOrSurvived((host) => rescueWith(host, context, text, options))
  if (exit === undefined)
    throw new TargetError(`nothing here is called ${text}`, [`No host runs for ${access.root}, so nothing is watched.`])
  return exit
}

async function rescueWith(
  host: HostConnection,
  { terminal, questions }: CommandContext,
  text: string,
  options: RescueOptions,
): Promise<ExitCode> {
  const found = rescuable(text, options.task, await freshPools(host))
  const choice = await choiceOf(found, options, questions)
  if (choice === 'none') return nothingDone(terminal)
  const plans = rescuePlans(found, choice, text)
  for (const line of plans.flatMap(planLines)) terminal.note(line)
  if (options.yes === undefined) {
    if (!questions.canAsk)
      throw new CliError('nothing was done: there is no terminal to ask in', ['With --yes it is done without asking.'])
    if (!(await confirmed(questions, 'Do it?'))) return nothingDone(terminal)
  }
  let allDone = true
  for (const { pool, steps } of plans) {
    const { outcomes } = await host.request(
      'unhang/rescue',
      { poolId: pool.id, actions: steps.map(({ action }) => action), askedBy: 'cli' },
      { timeoutMs: rescueTimeoutMs },
    )
    for (const { done, text: said } of outcomes) terminal.print(`${done ? 'done' : 'not done'}: ${plainLine(said)}`)
    allDone &&= outcomes.every(({ done }) => done)
  }
  return allDone ? exitCodes.ok : exitCodes.failure
}

function planLines({ pool, steps }: RescuePlan): string[] {
  return [`${plainLine(pool.name)} (${pool.id}):`, ...steps.map(({ text }) => `  ${text}`)]
}

function nothingDone(terminal: CommandContext['terminal']): ExitCode {
  terminal.note('nothing was done')
  return exitCodes.failure
}

async function choiceOf(
  found: readonly Rescuable[],
  { fail, retry, yes }: RescueOptions,
  questions: Questions,
): Promise<LostTaskChoice | 'none' | undefined> {
  if (fail) return 'fail'
  if (retry) return 'retry'
  // Whoever says yes beforehand says to what: what is left out here is asked for by an error that names both.
  if (!needsChoice(found) || yes || !questions.canAsk) return undefined
  const canRetry = tasksThatCannotRunAgain(found).length === 0
  const answer = await questions.ask(
    canRetry
      ? 'Lost tasks: [f]ail them (the program gets an exception) or [r]un them again? [f/r] '
      : 'Lost tasks: [f]ail them (the program gets an exception)? They cannot run again. [f/N] ',
  )
  if (/^f(ail)?$/i.test(answer)) return 'fail'
  if (canRetry && /^r(etry|un)?$/i.test(answer)) return 'retry'
  return 'none'
}
