import type { ShutdownSubject, ShutdownWorkerReport } from './types'

/** One line of a report with why it is still there, for {@link issuesOf}. */
export interface IssueFacts {
  readonly report: ShutdownWorkerReport
  /** The program's short name; shown for what a worker left behind, which has no other name. */
  readonly command: string
  /** Why it is still there, in words: `ignores SIGTERM`. */
  readonly why: string
}

/** The human-readable strings of what a shutdown could not end, workers first, each followed by what it left behind. */
export function issuesOf(subject: ShutdownSubject, facts: readonly IssueFacts[]): string[] {
  const left = facts.filter(({ report }) => !hasEnded(report))
  const workers = left.filter(({ report }) => report.descendantOf === undefined)
  const children = new Map<string, IssueFacts[]>()
  for (const child of left) {
    const { descendantOf } = child.report
    if (descendantOf !== undefined) children.set(descendantOf, [...(children.get(descendantOf) ?? []), child])
  }
  const issues: string[] = []
  for (const worker of workers) {
    issues.push(workerIssue(worker))
    issues.push(...(children.get(worker.report.name) ?? []).map(childIssue))
    children.delete(worker.report.name)
  }
  const leftBehind = [...children.values()].flat()
  issues.push(...leftBehind.map(childIssue))
  // Where a worker is named the pool needs no line of its own.
  if (workers.length === 0 && leftBehind.length > 0 && subject.kind !== 'worker') {
    issues.push(`pool still exists: ${subject.name} (${subject.id})`)
  }
  return issues
}

/**
 * Whether nothing of it is left to end. What a worker left behind has ended when it is a zombie; a worker is then still
 * in the table.
 */
function hasEnded(report: ShutdownWorkerReport): boolean {
  switch (report.outcome) {
    case 'already-gone':
    case 'exited':
    case 'terminated':
    case 'killed':
      return true
    case 'zombie':
      return report.descendantOf !== undefined
    case 'alive':
    case 'unkillable':
    case 'denied':
      return false
  }
}

function workerIssue({ report, why }: IssueFacts): string {
  const what = report.outcome === 'zombie' ? 'worker is a zombie' : 'worker still alive'
  return `${what}: ${report.name}, pid=${report.pid}, ${why}`
}

function childIssue({ report, command, why }: IssueFacts): string {
  return `child of ${report.descendantOf ?? 'a worker'} still alive: pid=${report.pid}, ${command}, ${why}`
}
