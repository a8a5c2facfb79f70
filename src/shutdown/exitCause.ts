import { signalNumber } from '../processes'
import type { KillLedgerEntry, LedgerSignal } from './types'

/** How a process ended, as Node tells it: one of the two is null. */
export interface ProcessExit {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

/** Why a process ended. */
export type ExitCause =
  /** `exit 0`, unasked. */
  | { readonly kind: 'normal'; readonly text: string }
  /** Another exit code, unasked. */
  | { readonly kind: 'failed'; readonly text: string }
  /** By a signal of ours, or by itself after one. */
  | { readonly kind: 'ours'; readonly text: string; readonly entry: KillLedgerEntry }
  /** By a signal that a program brings upon itself: a segmentation fault, an abort, a broken pipe. */
  | { readonly kind: 'crash'; readonly text: string }
  /** By a signal that Unhang did not send: a person, a supervisor, the kernel's OOM killer. */
  | { readonly kind: 'external'; readonly text: string }

/** Why the kernel, or the program's own runtime, sends these to the program that causes them. */
const ownDoing: Partial<Record<NodeJS.Signals, string>> = {
  SIGSEGV: 'a crash',
  SIGBUS: 'a crash',
  SIGABRT: 'a crash',
  SIGILL: 'a crash',
  SIGFPE: 'a crash',
  SIGTRAP: 'a crash',
  SIGSYS: 'a crash',
  SIGSTKFLT: 'a crash',
  SIGPIPE: 'nobody read its output',
  SIGALRM: 'its own timer',
  SIGVTALRM: 'its own timer',
  SIGPROF: 'its own timer',
  SIGXCPU: 'over its CPU limit',
  SIGXFSZ: 'over its file size limit',
}

/** An exit the Python way: `exit 1`, `exit -9 (SIGKILL)`. */
export function describeExit(exit: ProcessExit): string {
  if (exit.signal !== null) return `exit -${signalNumber(exit.signal) ?? '?'} (${exit.signal})`
  return exit.exitCode === null ? 'exit code unknown' : `exit ${exit.exitCode}`
}

/**
 * Joins an exit with what the kill ledger knows of that process: `exit -9 (SIGKILL), sent by us at …` against
 * `exit -9 (SIGKILL), not sent by Unhang`. `entries` are `ledger.entriesFor(identity)`.
 */
export function explainExit(exit: ProcessExit, entries: readonly KillLedgerEntry[]): ExitCause {
  const how = describeExit(exit)
  const sent = entries.filter((entry) => entry.outcome === 'sent' && ends(entry.signal))
  const last = sent.at(-1)
  if (exit.signal !== null) {
    const entry = sent.findLast(({ signal }) => signal === exit.signal)
    if (entry !== undefined) return { kind: 'ours', text: `${how}, sent by us ${whenAndWhy(entry)}`, entry }
    const doing = ownDoing[exit.signal]
    if (doing !== undefined) return { kind: 'crash', text: `${how}, ${doing}: not sent by Unhang` }
    const but = last === undefined ? '' : ` (which sent ${last.signal} ${whenAndWhy(last)})`
    return { kind: 'external', text: `${how}, not sent by Unhang${but}` }
  }
  if (last !== undefined)
    return { kind: 'ours', text: `${how} after ${last.signal}, sent by us ${whenAndWhy(last)}`, entry: last }
  return exit.exitCode === 0 ? { kind: 'normal', text: how } : { kind: 'failed', text: how }
}

/** Asking for stacks and continuing explain no exit. */
function ends(signal: LedgerSignal): boolean {
  return signal !== 'SIGCONT' && !signal.startsWith('signal ')
}

function whenAndWhy(entry: KillLedgerEntry): string {
  return `at ${new Date(entry.at).toISOString()}: ${entry.reason} (asked by ${entry.askedBy})`
}
