/** A thread of a process with its stack, the innermost frame first. */
export interface StackThread {
  readonly id: string
  readonly current: boolean
  readonly frames: readonly { readonly file: string; readonly line: number; readonly function: string }[]
}
