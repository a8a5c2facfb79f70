import { type PoolHeader, type TaskSnapshot, type WorkerSnapshot, isStuck, rescueOptionsOf } from '../../protocol'

/**
 * `kind+flag+flag`, matched in `when` clauses by lookahead: `viewItem =~ /^worker(?=.*\+live)/`. Flags of a pool: its
 * state, `live`, `stuck`, `orphaned`, `issues`, `program`, `rescuable`; of a worker: its status, `live`, `stuck`,
 * `orphaned`, `stack` (it may have one to show); of a task: its state, `stuck`, `retryable`.
 */
export function poolContextValue(pool: PoolHeader): string {
  return contextValue('pool', {
    [pool.state]: true,
    live: pool.state !== 'ended',
    stuck: isStuck(pool),
    orphaned: pool.orphaned,
    issues: pool.issues.length > 0,
    program: pool.program !== null,
    rescuable: rescueOptionsOf(pool).length > 0,
  })
}

export function workerContextValue(worker: WorkerSnapshot, pool: PoolHeader | undefined): string {
  return contextValue('worker', {
    [worker.status]: true,
    live: worker.status !== 'exited',
    stuck: worker.task?.stuck === true,
    orphaned: pool?.orphaned === true,
    // A command may be anything; the others are Pythons and Nodes.
    stack: worker.pid > 0 && pool !== undefined && !pool.orphaned && pool.kind !== 'command',
  })
}

export function taskContextValue(task: TaskSnapshot, pool: PoolHeader | undefined): string {
  const over = task.state !== 'queued' && task.state !== 'running' && task.state !== 'done'
  return contextValue('task', {
    [task.state]: true,
    stuck: task.stuck,
    // The same pool runs it again, so the pool has to take work.
    retryable: over && pool?.state === 'run' && !pool.orphaned,
  })
}

function contextValue(kind: string, flags: Readonly<Record<string, boolean>>): string {
  return [kind, ...Object.keys(flags).filter((flag) => flags[flag])].join('+')
}
