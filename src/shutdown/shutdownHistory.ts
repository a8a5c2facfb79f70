import type { ProcessIdentity } from '../processes'
import { keyOf } from './killLedger'

/** Something that a worker left running and that no pass was allowed to end. */
export interface SurvivingDescendant {
  readonly identity: ProcessIdentity
  readonly descendantOf: string
}

/** Subjects remembered; far more than anybody shuts down between two looks. */
const rememberedSubjects = 1000

/**
 * What shutdowns know of each other, so that calling one twice is safe, also while the first still runs, and so that
 * the second call still sees what the first one left (Keras forgets them).
 */
export class ShutdownHistory {
  readonly #survivors = new Map<string, readonly SurvivingDescendant[]>()
  /** By process: which signals the shutdowns that run now have sent. */
  readonly #sent = new Map<string, Map<NodeJS.Signals, Set<object>>>()

  /** Survivors of earlier shutdowns of this subject, or of these targets under whichever subject. */
  recall(subjectId: string, targets: readonly ProcessIdentity[]): SurvivingDescendant[] {
    const keys = [subjectKey(subjectId), ...targets.map(keyOf)]
    const found = keys.flatMap((key) => this.#survivors.get(key) ?? [])
    return [...new Map(found.map((survivor) => [keyOf(survivor.identity), survivor])).values()]
  }

  /** Keeps what a shutdown of this subject left, under the subject and under each target; an empty list forgets. */
  remember(subjectId: string, targets: readonly ProcessIdentity[], survivors: readonly SurvivingDescendant[]): void {
    for (const key of [subjectKey(subjectId), ...targets.map(keyOf)]) {
      this.#survivors.delete(key)
      if (survivors.length > 0) this.#survivors.set(key, survivors)
    }
    for (const oldest of this.#survivors.keys()) {
      if (this.#survivors.size <= rememberedSubjects) break
      this.#survivors.delete(oldest)
    }
  }

  /**
   * Whether this shutdown is to send the signal. Not when another one that runs now has sent it to that process: many
   * programs take a second SIGTERM for "drop everything".
   */
  claim(shutdown: object, identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
    const key = keyOf(identity)
    const bySignal = this.#sent.get(key) ?? new Map<NodeJS.Signals, Set<object>>()
    const senders = bySignal.get(signal) ?? new Set<object>()
    if (senders.size > 0 && !senders.has(shutdown)) return false
    this.#sent.set(key, bySignal.set(signal, senders.add(shutdown)))
    return true
  }

  /** Called when a shutdown is over, with every process it knew. */
  release(shutdown: object, identities: readonly ProcessIdentity[]): void {
    for (const identity of identities) {
      const bySignal = this.#sent.get(keyOf(identity))
      if (bySignal === undefined) continue
      for (const [signal, senders] of bySignal) {
        senders.delete(shutdown)
        if (senders.size === 0) bySignal.delete(signal)
      }
      if (bySignal.size === 0) this.#sent.delete(keyOf(identity))
    }
  }
}

/** One for all shutdowns of this process. */
export const sharedHistory = new ShutdownHistory()

function subjectKey(subjectId: string): string {
  return `subject ${subjectId}`
}
