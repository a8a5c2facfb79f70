import type { ProcessTable } from '../processes'
import { stepsOf } from './escalation'
import { TargetTree } from './targetTree'
import { sharedHistory, type ShutdownHistory } from './shutdownHistory'
import type { TrackedProcess } from './trackedProcess'
import type { PlannedProcess, ShutdownPlan, ShutdownRequest, TermStep } from './types'

/** What a plan is made from. */
export interface PlanDependencies {
  readonly processes: ProcessTable
  /** What shutdowns know of each other. Default: one for all shutdowns of this process. */
  readonly memory?: ShutdownHistory
}

/**
 * What {@link shutDown} would do with this request now: whom it would signal, in which order, with what, and what is
 * known of how each will answer. Only looks: nothing is asked, signalled or stopped. It is true for this moment; a
 * shutdown looks again.
 */
export async function planShutdown(
  request: ShutdownRequest,
  { processes, memory: history = sharedHistory }: PlanDependencies,
): Promise<ShutdownPlan> {
  const steps = stepsOf(request)
  const tree = new TargetTree(
    request.targets,
    request.formerWorkers ?? [],
    processes,
    steps[0]?.signal ?? 'SIGTERM',
    () => 0,
  )
  await tree.capture(
    history.recall(
      request.subject.id,
      request.targets.map(({ identity }) => identity),
    ),
  )
  const planned = tree.members.filter((member) => !member.gone).map((member) => plannedProcess(member, steps, request))
  // Helpers come after everything else.
  const lastStep = planned.reduce((most, { step }) => Math.max(most, step), 0) + 1
  const helpers = new Set(tree.members.filter(({ isHelper }) => isHelper).map(({ identity }) => identity.pid))
  const inOrder = planned.map((row) => (helpers.has(row.pid) ? { ...row, step: lastStep } : row))
  return {
    subject: request.subject,
    gracePeriodMs: request.gracePeriodMs,
    processes: inOrder.sort((one, other) => one.step - other.step),
  }
}

function plannedProcess(member: TrackedProcess, steps: readonly TermStep[], request: ShutdownRequest): PlannedProcess {
  const { holder } = member
  return {
    name: member.name,
    pid: member.identity.pid,
    command: member.command,
    ...(member.descendantOf === undefined ? {} : { descendantOf: member.descendantOf }),
    step: member.level,
    after: holder === undefined ? null : { name: holder.name, pid: holder.identity.pid },
    asked: request.kill !== true && member.target?.ask !== undefined && !member.over,
    signals: member.over ? [] : steps.map(({ signal }) => signal),
    answer: answerOf(member, steps),
  }
}

/** In words what is known of how a process will answer the first signal, and what follows from that. */
function answerOf(member: TrackedProcess, [first, next]: readonly TermStep[]): string {
  if (member.state === 'zombie') return 'is dead already, and waits for its parent to collect it'
  if (first === undefined) return 'is not signalled'
  const { signal, waitMs } = first
  if (member.isHelper) return 'leaves by itself once the program is gone, and is signalled only if it does not'
  if (member.state === 'uninterruptible')
    return `is in uninterruptible sleep (state D) at this moment: ${signal} waits until the kernel lets it go`
  if (signal === 'SIGKILL') return 'ends at once'
  const follows = next === undefined ? 'it will be left, with what is below it' : `${next.signal} follows`
  if (member.masks?.tracerPid !== undefined)
    return (
      `has a debugger on it (pid ${member.masks.tracerPid}), which gets ${signal} first; if it keeps ` +
      `it, ${follows}`
    )
  if (member.masks?.ignored.has(signal) === true) return `ignores ${signal}: ${follows}`
  const continued = member.state === 'stopped' ? 'is stopped, and is continued so that the signal arrives; ' : ''
  if (member.masks?.blocked.has(signal) === true)
    return `${continued}blocks ${signal}: unless it fetches it, ${follows}`
  if (member.masks?.caught.has(signal) === true)
    return `${continued}handles ${signal}, and has ${waitMs} ms for that; then ${follows}`
  if (member.masks === undefined) return `${continued}its answer is not known here`
  return `${continued}ends at ${signal}`
}
