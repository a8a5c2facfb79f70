/** The label of the sample task. */
export const sampleLabel = 'My first pool'

/** A first pool task: runs as it is on any system with Node, and has the keys one changes first. */
export const sampleTask = {
  type: 'pool',
  label: sampleLabel,
  // The item goes first, so that it can be read in a narrow row.
  command: ['node', '--title=${item}', '-e', 'setTimeout(() => console.log(process.title), 2000)'],
  items: ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'],
  processes: 4,
  stuckAfterMs: 30_000,
  problemMatcher: [],
} as const

/** A first tasks.json: the sample task, with what one would want to know of it. */
export const sampleTasksFile = `{
  "version": "2.0.0",
  "tasks": [
    {
      // A process pool: one process per item, four at a time.
      // Run it with “Launch” above, or from the Pools view.
      "type": "pool",
      "label": "${sampleLabel}",
      "command": ${inline(sampleTask.command)},
      "items": ${inline(sampleTask.items)},
      "processes": ${sampleTask.processes},
      // A task that has run this long without CPU time or output is flagged as stuck.
      "stuckAfterMs": ${sampleTask.stuckAfterMs},
      "problemMatcher": []
    }
  ]
}
`

/** A list in one line; a formatter gives each element a line of its own. */
export function inline(list: readonly string[]): string {
  return `[${list.map((text) => JSON.stringify(text)).join(', ')}]`
}
