import { outOfOrder, signalsTo } from './killLedger'
import type { MarkedProgram } from './markedProgram'
import { endProcess } from './markedProcesses'

/** What is wrong with one run; all of it is told, not only what was looked at first. */
export class Complaints {
  readonly all: string[] = []

  expectThat(what: string, found: unknown, wanted: unknown): void {
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      this.all.push(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
  }

  expectOneOf(what: string, found: unknown, wanted: readonly unknown[]): void {
    if (!wanted.includes(found)) this.all.push(`${what}: ${JSON.stringify(found)}, not ${wanted.join(' or ')}`)
  }

  expectIn(what: string, text: string, wanted: string): void {
    if (!text.includes(wanted)) this.all.push(`${what} does not have "${wanted}": ${text}`)
  }

  /**
   * Waits until the program is gone and then looks at what it did: what holds however a program is ended.
   * @param waits How many of its processes said that they run before it was ended.
   */
  async expectEnded(program: MarkedProgram, waits: number, killsFile: string): Promise<void> {
    const left = await program.untilGone()
    this.expectThat('left', left, [])
    // They have the pipes of the command that is waited for next.
    for (const { pid } of left) endProcess(pid)
    this.expectThat('next lines', program.nextLines, [])
    this.expectThat('processes started anew', program.pids.slice(waits), [])
    const sent = signalsTo(program.tree, killsFile)
    this.expectThat('order', outOfOrder(sent, program.tree), [])
    if (this.all.length === 0) return
    const signals = sent.map(({ at, identity, signal, outcome }) => [at, identity.pid, signal, outcome])
    this.all.push(`the signals were ${JSON.stringify(signals)}`)
  }
}
