import { type HostConnection } from '../../discovery'
import type { ResultOf, ParamsOf } from '../../protocol'
import { plainLine } from '../../words'
import { TargetError } from '../errors'
import { exitCodes } from '../exitCodes'
import { confirmAttached } from '../ending/confirmAttached'
import { planLines } from '../ending/planText'
import { requestPlan, requestShutdown } from '../ending/request'
import { resolveTarget } from '../ending/targets'
import { wholeProgramNote } from '../ending/wholeProgram'
import { fetchPools, fetchRunning } from '../snapshots'
import { plural } from '../words/plural'
import { printJson, type Command, type CommandContext } from './context'

/** Options of `terminate` and `kill`. */
export interface ShutdownOptions {
  readonly graceMs?: number
  readonly sigkill?: true
  readonly json?: true
  /** Ends an attached program without asking. */
  readonly yes?: true
  /** Says what would be done, and does nothing. */
  readonly dryRun?: true
}

interface Done {
  readonly description: string
  /** Undefined for a pool that was over before. */
  readonly result?: ResultOf<'unhang/shutdown'>
  /** The user was asked and said no. */
  readonly refused?: true
  /** What would have been done. */
  readonly planned?: ResultOf<'unhang/planShutdown'>
}

/**
 * `unhang terminate|kill POOL|PID`. stdout has the issues, one a line, or with `--json` the whole answer `{ issues:
 * string[], reports: [{ subject: { id, name }, startedAt, durationMs, workers: [{ name, pid, descendantOf?, sent: [{
 * signal, atMs, outcome, order }], foreseen, outcome, endedAfterMs?, heldBackBy? }], issues }] }` (see
 * ShutdownReportWire). With `--dry-run` nothing is done, and stdout has what would be, or with `--json` `{ plans: [{
 * subject, gracePeriodMs, processes: [{ step, name, pid, command, descendantOf?, after, asked, signals, answer }] }] }`
 * (see ShutdownPlanWire).
 */
export const shutdown: Command<[ParamsOf<'unhang/shutdown'>['mode'], string, ShutdownOptions]> = async (
  context,
  mode,
  text,
  options,
) => {
  const { access, terminal } = context
  const done = await access.runningOrSurvived((host) => end(host, context, mode, text, options))
  if (done === undefined)
    throw new TargetError(`nothing here is called ${text}`, [`No host runs for ${access.root}, so no pool does.`])
  const { description, result, planned } = done
  if (done.refused) {
    terminal.note('nothing was done')
    return exitCodes.failure
  }
  if (options.dryRun) {
    if (options.json) printJson(terminal, planned ?? { plans: [] })
    else if (planned === undefined) terminal.note(`${description}; nothing to do`)
    else for (const plan of planned.plans) for (const line of planLines(plan, description)) terminal.print(line)
    return exitCodes.ok
  }
  const issues = result?.issues ?? []
  if (options.json) printJson(terminal, result ?? { issues: [], reports: [] })
  else for (const issue of issues) terminal.print(plainLine(issue))
  const remark = options.json || !terminal.isInteractive ? undefined : remarkOn(mode, description, result)
  if (remark !== undefined) terminal.note(remark)
  return issues.length > 0 ? exitCodes.failure : exitCodes.ok
}

async function end(
  host: HostConnection,
  { terminal, questions }: CommandContext,
  mode: ParamsOf<'unhang/shutdown'>['mode'],
  text: string,
  { graceMs, sigkill, yes, dryRun }: ShutdownOptions,
): Promise<Done> {
  const { pools, unwatched } = await fetchRunning(host, fetchPools)
  const resolved = resolveTarget(text, pools, unwatched)
  if (resolved.kind === 'ended') return { description: resolved.description }
  const params = {
    targets: [resolved.target],
    mode,
    ...(graceMs === undefined ? {} : { gracePeriodMs: graceMs }),
    ...(sigkill ? { useSigkill: true } : {}),
    reason: `unhang ${mode} ${text}`,
  }
  const note = resolved.target.kind === 'pool' ? wholeProgramNote(resolved.target.poolId, pools) : undefined
  if (dryRun) {
    if (note !== undefined) terminal.note(note)
    return { description: resolved.description, planned: await requestPlan(host, params) }
  }
  if (
    'poolId' in resolved.target &&
    !(await confirmAttached(resolved.target.poolId, pools, { host, terminal, questions, yes: yes === true }))
  ) {
    return { description: resolved.description, refused: true }
  }
  if (note !== undefined) terminal.note(note)
  if (resolved.target.kind === 'worker' && terminal.isInteractive) {
    for (const { consequence } of (await requestPlan(host, params)).plans)
      if (consequence !== undefined) terminal.note(plainLine(consequence))
  }
  const result = await requestShutdown(host, params)
  return { description: resolved.description, result }
}

/** For a person at a terminal: what happened, beside the issues. */
function remarkOn(
  mode: ParamsOf<'unhang/shutdown'>['mode'],
  description: string,
  result: ResultOf<'unhang/shutdown'> | undefined,
): string | undefined {
  if (result === undefined) return `${description}; nothing to do`
  if (result.issues.length === 0) {
    const ended = result.reports.reduce((sum, report) => sum + report.workers.length, 0)
    return `ended ${description}: ${plural(ended, 'process', 'processes')}`
  }
  return mode === 'terminate' ? 'SIGKILL ends what is left: the same with `unhang kill`' : undefined
}
