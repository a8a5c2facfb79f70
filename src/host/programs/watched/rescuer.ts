import { isAlive, signalNumber } from '../../../processes'
import { continueMember, type RescueOutcome } from '../parts/continueMember'
import { rescueAnswerSchema } from '../observers/observerMessages'
import type { ProgramContext } from '../context/programContext'
import type { MemberExit } from '../members/programMember'
import type { WatchedPool } from './watchedPool'

/** A task that ends every worker it runs in is not run again and again. */
const mostRetries = 3
/**
 * What was tried before so many others is forgotten: a pool may run for weeks. More than can be stuck at a time, or
 * nothing would ever be given up.
 */
const mostTried = 10_000
/** The observer may wait a second for a lock before it finds another way. */
const rescueTimeoutMs = 3000

/**
 * Gets a pool of a watched program going again. Everything is checked here, and once more by the observer in the
 * program right before it is done; what does not hold any more is left as it is, and said.
 */
export class Rescuer {
  readonly #context: ProgramContext

  /** By what was tried, the oldest first; gone with its pool. */
  readonly #tries = new WeakMap<WatchedPool, Map<string, number>>()
  /** Being rescued right now: somebody else, or `onStuck`, may ask for the same. */
  readonly #underway = new WeakSet<object>()

  constructor(context: ProgramContext) {
    this.#context = context
  }

  /** Fails a lost task in the program, or puts it into the queue again. */
  async task(pool: WatchedPool, taskId: string, how: 'fail' | 'retry'): Promise<RescueOutcome> {
    const member = pool.members.all().find((candidate) => candidate.hasLostTask && candidate.taskId === taskId)
    const { recorded, exit } = member ?? {}
    if (member === undefined || recorded === undefined || exit === undefined)
      return { done: false, text: `there is no lost task ${taskId} in ${pool.name} (any more)` }
    if (this.#underway.has(member)) return { done: false, text: `${member.label} is being rescued already` }
    this.#underway.add(member)
    const { slot, generation, counter, job, index } = recorded
    const answer = await this.#ask(
      pool,
      how,
      how === 'fail'
        ? {
            pool: pool.key,
            job,
            index,
            worker: member.name,
            pid: member.pid,
            exitCode: multiprocessingExit(exit),
            label: member.label,
          }
        : { pool: pool.key, slot, generation, counter },
    )
    this.#underway.delete(member)
    if (!answer.done) return { done: false, text: `${member.label} was left as it is: ${answer.why}` }
    member.rescued = how === 'fail' ? 'failed' : 'retried'
    pool.members.rescued(member)
    return {
      done: true,
      text:
        how === 'fail'
          ? `${member.label} fails in the program with WorkerLost`
          : `${member.label} is in the queue again`,
    }
  }

  /** Releases a queue lock whose holder is dead, by its own note. */
  async release(pool: WatchedPool, lock: 'tasks' | 'results'): Promise<RescueOutcome> {
    const holder = pool.members.all().find((member) => !member.live && member.recorded?.holds.includes(lock) === true)
    if (holder?.recorded === undefined)
      return {
        done: false,
        text: `nobody is proven to have died with the lock of the ${lock} of ${pool.name}, so it was not released`,
      }
    const who = `${holder.name} (pid ${holder.pid})`
    if (holder.identity !== undefined && (await isAlive(this.#context.processes, holder.identity)))
      return { done: false, text: `${who} still runs, so its lock was not released` }
    const { slot, generation } = holder.recorded
    const answer = await this.#ask(pool, 'release', { pool: pool.key, lock, slot, generation })
    return answer.done
      ? { done: true, text: `the lock of the ${lock} that ${who} died with is released` }
      : { done: false, text: `the lock was left as it is: ${answer.why}` }
  }

  /** What `"onStuck": "retry"` does by itself. */
  async retryByPolicy(
    pool: WatchedPool,
  ): Promise<{ readonly done: readonly string[]; readonly gaveUp: readonly string[] }> {
    const done: string[] = []
    const gaveUp: string[] = []
    for (const option of pool.verdicts.filter(({ stuck }) => stuck).flatMap(({ rescue }) => rescue)) {
      if (option.kind === 'task' && !option.retriable) continue
      const tries = this.#countTry(
        pool,
        option.kind === 'task' ? `task ${option.label}` : `${option.kind} ${option.pid}`,
      )
      if (tries > mostRetries) {
        // Said once.
        if (tries === mostRetries + 1)
          gaveUp.push(
            option.kind === 'task'
              ? option.label
              : option.kind === 'lock'
                ? `the lock of the ${option.lock}`
                : option.worker,
          )
        continue
      }
      const outcome =
        option.kind === 'task'
          ? await this.task(pool, option.task, 'retry')
          : option.kind === 'lock'
            ? await this.release(pool, option.lock)
            : await continueMember(pool, option.pid, 'policy', this.#context)
      this.#context.log.info('A rescue by "onStuck".', { pool: pool.name, try: tries, ...outcome })
      if (outcome.done) done.push(outcome.text)
    }
    return { done, gaveUp }
  }

  #countTry(pool: WatchedPool, what: string): number {
    const tried = this.#tries.get(pool) ?? new Map<string, number>()
    this.#tries.set(pool, tried)
    const tries = (tried.get(what) ?? 0) + 1
    tried.delete(what)
    tried.set(what, tries)
    const [oldest] = tried.keys()
    if (tried.size > mostTried && oldest !== undefined) tried.delete(oldest)
    return tries
  }

  async #ask(
    pool: WatchedPool,
    method: string,
    params: Readonly<Record<string, unknown>>,
  ): Promise<{ done: boolean; why: string }> {
    try {
      // What was said not to be done must not happen later.
      return await pool.parent.link.ask(
        method,
        { ...params, expires: (Date.now() + rescueTimeoutMs) / 1000 },
        rescueAnswerSchema,
        rescueTimeoutMs,
      )
    } catch (error) {
      return { done: false, why: error instanceof Error ? error.message : String(error) }
    }
  }
}

function multiprocessingExit({ exitCode, signal }: MemberExit): number | null {
  return signal === null ? exitCode : -(signalNumber(signal) ?? 0)
}
