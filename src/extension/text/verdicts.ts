import * as l10n from '@vscode/l10n'
import type { PoolHeader, PoolVerdictSnapshot, RescueOptionSnapshot, LostTaskChoice } from '../../protocol'
import { verdictText } from '../../words'

/** What one should know first: what is stuck before what is not, else the host's order, the gravest first. */
export function gravestVerdict({ verdicts }: Pick<PoolHeader, 'verdicts'>): PoolVerdictSnapshot | undefined {
  return verdicts.find((verdict) => verdict.stuck) ?? verdicts[0]
}

/** A verdict for a row: `stuck: lost task run(7), +2`, `fork with threads`. */
export function verdictPart(pool: Pick<PoolHeader, 'verdicts'>): string | undefined {
  const verdict = gravestVerdict(pool)
  if (verdict === undefined) return undefined
  const words = [verdictText(verdict.code), ...taskLabels(verdict)].join(' ')
  const text = verdict.stuck ? l10n.t('stuck: {0}', words) : words
  const others = pool.verdicts.filter((other) => other.stuck === verdict.stuck).length - 1
  return others > 0 ? l10n.t('{0}, +{1}', text, others) : text
}

function taskLabels(verdict: PoolVerdictSnapshot): string[] {
  return verdict.rescue.flatMap((option) =>
    option.kind === 'task' && option.task === verdict.task ? [option.label] : [],
  )
}

/** What a rescue would do, in the words of a picker and of the question before it. */
export function rescueText(option: RescueOptionSnapshot, choice: LostTaskChoice | undefined): string {
  switch (option.kind) {
    case 'task':
      if (choice === 'fail')
        return l10n.t('Fail task {0} {1}: the program’s call raises WorkerLost', option.task, option.label)
      if (choice === 'retry') return l10n.t('Run task {0} {1} again', option.task, option.label)
      return l10n.t('Lost task {0} {1}', option.task, option.label)
    case 'lock':
      return option.lock === 'tasks'
        ? l10n.t('Release the lock of the task queue')
        : l10n.t('Release the lock of the result queue')
    case 'continue':
      return l10n.t('Continue {0} (SIGCONT)', option.worker)
  }
}

/** Why there is something to rescue. */
export function rescueReason(option: RescueOptionSnapshot): string {
  switch (option.kind) {
    case 'task':
      return l10n.t('lost with {0}, pid {1}', option.worker, option.pid)
    case 'lock':
      return l10n.t('held by {0}, pid {1}, which is dead', option.worker, option.pid)
    case 'continue':
      return l10n.t('pid {0} is stopped', option.pid)
  }
}
