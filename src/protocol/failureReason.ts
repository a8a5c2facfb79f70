import type { TaskFailure } from './results'

/**
 * The first line of a failure's message, without the parts that its row shows already (worker, pid, task): `exit -9
 * (SIGKILL): ended by us, …` for a lost task.
 */
export function failureReason({
  message,
  worker,
  pid,
  label,
}: Pick<TaskFailure, 'message' | 'worker' | 'pid' | 'label'>): string {
  const [line = ''] = message.split('\n', 1)
  return line
    .trim()
    .replace(/^(WorkerLost|TaskTimeout|TaskCancelled|CommandFailed)Error: /, '')
    .replace(`${worker} (pid ${pid}) ended with `, '')
    .replace(` before ${label} was done`, '')
    .replace(`${label} ended with `, '')
}
