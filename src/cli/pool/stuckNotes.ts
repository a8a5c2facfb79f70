import type { PoolSnapshot } from '../../protocol'
import { formatDuration, plainLines } from '../../words'

/** Says once when a task gets stuck (or slow), with the reason and what to do, and once when it goes on after all. */
export class StuckNotes {
  readonly #said = new Map<string, { code: string; label: string; stuck: boolean }>()

  /** The lines that are new since the last look. */
  observe(pool: Pick<PoolSnapshot, 'workers'>): string[] {
    const lines: string[] = []
    const running = new Set<string>()
    for (const { name, pid, status, task } of plainLines(pool.workers)) {
      if (status === 'exited' || task?.state !== 'running') continue
      running.add(task.id)
      const before = this.#said.get(task.id)
      if (task.verdict === null) {
        if (before !== undefined) {
          this.#said.delete(task.id)
          if (before.stuck) lines.push(`${task.label} goes on after all`)
        }
        continue
      }
      const { code, summary, advice } = task.verdict
      if (before?.code === code) continue
      this.#said.set(task.id, { code, label: task.label, stuck: task.stuck })
      lines.push(`${task.stuck ? `stuck (${code})` : `${code}, not stuck`}: ${summary}`)
      lines.push(`  ${name}, pid ${pid}, ${formatDuration(task.elapsedMs)} in ${task.label}. ${advice}`)
      if (task.stuck) lines.push(`  to end it: unhang terminate ${pid}`)
    }
    for (const id of this.#said.keys()) if (!running.has(id)) this.#said.delete(id)
    return lines
  }
}
