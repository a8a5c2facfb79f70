import { createInterface } from 'node:readline/promises'
import { isatty } from 'node:tty'
import type { Terminal } from './terminal'

/** Where a command can ask. */
export interface Questions {
  /** Somebody sits there: false in a pipe, a script, a CI job. */
  readonly canAsk: boolean
  /** The answer without spaces around it, '' for just Enter, Ctrl-C and Ctrl-D. */
  ask(question: string): Promise<string>
}

/** Asks on stderr, so that stdout has results alone. */
export class TerminalQuestions implements Questions {
  readonly #terminal: Terminal

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /**
   * (Node opens stdin when it is first named: a program that runs here is to have it untouched, so nobody names it
   * before.)
   */
  get canAsk(): boolean {
    return isatty(0) && this.#terminal.isInteractive
  }

  async ask(question: string): Promise<string> {
    await this.#terminal.drained()
    const reader = createInterface({ input: process.stdin, output: process.stderr })
    // Ctrl-C and Ctrl-D close the reader, and then the question is never answered.
    const closed = new Promise<string>((resolve) => {
      reader.once('close', () => {
        resolve('')
      })
    })
    try {
      return (await Promise.race([reader.question(question), closed])).trim()
    } finally {
      reader.close()
    }
  }
}

/** A question that only a clear yes answers with yes. */
export async function confirmed(questions: Questions, question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await questions.ask(`${question} [y/N] `))
}
