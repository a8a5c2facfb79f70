import type { PoolSnapshot, TaskFailure } from '../../protocol'

/**
 * Some faults of a definition only show once a worker has loaded the module. Which key of tasks.json they come from,
 * and what to write instead; undefined when the tasks failed by themselves.
 */
export function definitionHint(
  pool: Pick<PoolSnapshot, 'kind' | 'failure'>,
  failures: readonly Pick<TaskFailure, 'message'>[],
): string | undefined {
  if (pool.kind === 'python') {
    // What the worker itself says of a wrong module, function or interpreter names the key.
    return pool.failure === null || /"python(?:Path)?"/.test(pool.failure)
      ? undefined
      : '"python": its workers end before they can take a task. Make `python -c "import package.module"` work ' +
          'first, in "cwd" and with "pythonPath".'
  }
  if (pool.kind !== 'module') return undefined
  if (failures.some(({ message }) => message.startsWith('MissingExportError: '))) {
    return '"module": write the name of an export that it has after the #, as in "./tasks.js#resize".'
  }
  if (pool.failure !== null)
    return '"module": its workers end before they can take a task. Make it load with plain `node` first.'
  return undefined
}
