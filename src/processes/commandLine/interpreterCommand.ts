/** An option of the interpreter itself, with the dash or dashes: `-I`, `--require`. */
export interface InterpreterOption {
  readonly name: string
  /** Absent where the option takes none. */
  readonly value?: string
}

/** What an interpreter runs. */
export type CommandTarget =
  | { readonly kind: 'script'; readonly path: string }
  | { readonly kind: 'module'; readonly name: string }
  /** `option` is the one in front of the code: `-c`, `--eval`. */
  | { readonly kind: 'code'; readonly option: string; readonly code: string }
  /** Standard input: interactive, or because of a `-`. */
  | { readonly kind: 'input' }

/** A command line of an interpreter, taken apart as the interpreter does it. */
export interface InterpreterCommand {
  /** The program as it was written: a path, or a name. */
  readonly interpreter: string
  /** In the order in which they stand; letters that were put together (`-IuB`) are apart here. */
  readonly options: readonly InterpreterOption[]
  readonly target: CommandTarget
  /** Arguments of the script, module or code. */
  readonly args: readonly string[]
}
