/** A first tasks.json: runs as it is on any system with Node, and shows the keys one changes first. */
export const sampleTasksFile = `{
  "version": "2.0.0",
  "tasks": [
    {
      // A process pool: one process per item, four at a time. Run it with “Launch” above, or from the Pools view.
      "type": "pool",
      "label": "My first pool",
      "command": ["node", "-e", "setTimeout(() => console.log(process.argv[1]), 2000)", "\${item}"],
      "items": ["one", "two", "three", "four", "five", "six", "seven", "eight"],
      "processes": 4,
      // A task that has run this long without CPU time or output is flagged as stuck.
      "stuckAfterMs": 30000,
      "problemMatcher": []
    }
  ]
}
`
