import { verdictsOf, type PoolSnapshot, type PoolVerdictSnapshot, type RunningProgram } from '../../protocol'
import { plainPalette, type Palette } from '../output/palette'
import { plainLines } from '../output/plainText'
import { countWords, totalTasks } from '../words/counts'
import { plural } from '../words/quantities'
import { leftLines } from '../words/unwatched'
import { poolTitle, proposedCommands, verdictTag } from '../words/verdicts'

const indent = '  '
/** A thousand lost tasks are one cause: the first ones tell it, `--json` has them all. */
const mostShown = 20

/** The verdicts in plain words: a heading a pool, then what is wrong, what shows it, what would help, and what to type. */
export function whyText(asked: readonly PoolSnapshot[], pools: readonly PoolSnapshot[], palette: Palette = plainPalette, unwatched: readonly RunningProgram[] = []): string {
  const clean = plainLines(asked)
  const all = plainLines(pools)
  const found = clean.map((pool) => ({ pool, verdicts: verdictsOf(pool) }))
  const wrong = found.filter(({ verdicts }) => verdicts.length > 0)
  const blocks = wrong.map(({ pool, verdicts }) => [
    heading(pool, all, palette),
    ...verdicts.slice(0, mostShown).flatMap((verdict, at) => verdictLines(verdict, verdicts[at + 1]?.advice === verdict.advice && at + 1 < mostShown, palette)),
    ...(verdicts.length > mostShown ? [`${indent}… and ${verdicts.length - mostShown} more (unhang why --json)`] : []),
    ...commandLines(pool, all, palette),
  ].join('\n'))
  if (!wrong.some(({ verdicts }) => verdicts.some((verdict) => verdict.stuck))) blocks.push(clean.length === 0 && unwatched.length > 0 ? 'nothing is known to be stuck: no pool is watched here' : nothingStuck(clean, all, palette))
  return [blocks.join('\n\n'), ...leftLines(unwatched)].join('\n')
}

function heading(pool: PoolSnapshot, pools: readonly PoolSnapshot[], palette: Palette): string {
  return poolTitle(pool, pools).replace(pool.name, (name) => palette.bold(name))
}

/** @param adviceFollows The next one has the same advice, which is worth saying once. */
function verdictLines(verdict: PoolVerdictSnapshot, adviceFollows: boolean, palette: Palette): string[] {
  const tag = verdict.stuck ? palette.bad(verdictTag(verdict)) : palette.warning(verdictTag(verdict))
  return [
    `${indent}${tag}: ${verdict.summary}${confidenceWords(verdict)}`,
    ...verdict.evidence.map(({ what, value }) => `${indent}${indent}${palette.dim(`${what}: ${value}`)}`),
    ...(verdict.advice === '' || adviceFollows ? [] : [`${indent}${indent}${verdict.advice}`]),
  ]
}

function commandLines(pool: PoolSnapshot, pools: readonly PoolSnapshot[], palette: Palette): string[] {
  const proposed = proposedCommands(pool, pools)
  const width = Math.max(0, ...proposed.map(({ command }) => command.length))
  return proposed.map(({ command, does }) => `${indent}${indent}${indent}${palette.bold(command.padEnd(width))}  ${palette.dim(`# ${does}`)}`)
}

function confidenceWords({ confidence }: PoolVerdictSnapshot): string {
  return confidence === 'certain' ? '' : ` (${confidence})`
}

function nothingStuck(asked: readonly PoolSnapshot[], pools: readonly PoolSnapshot[], palette: Palette): string {
  if (asked.length === 0) return 'nothing is stuck: no pool runs here'
  return [palette.good('nothing is stuck'), ...asked.map((pool) => `${indent}${poolTitle(pool, pools)}  ${doing(pool)}`.trimEnd())].join('\n')
}

function doing(pool: PoolSnapshot): string {
  if (pool.state === 'ended') return 'ended'
  if (totalTasks(pool.counts) > 0) return countWords(pool.counts).join(', ')
  const live = pool.workers.filter((worker) => worker.status !== 'exited').length
  return live === 0 ? '' : plural(live, 'worker')
}
