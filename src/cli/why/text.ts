import { verdictsOf, type PoolSnapshot, type PoolVerdictSnapshot } from '../../protocol'
import { plainPalette, type Palette } from '../output/palette'
import { plainLines } from '../output/plainText'
import { countWords, totalTasks } from '../words/counts'
import { plural } from '../words/quantities'
import { poolTitle, proposedCommands, verdictTag } from '../words/verdicts'

const indent = '  '
/** A thousand lost tasks are one cause: the first ones tell it, `--json` has them all. */
const mostShown = 20

/** The verdicts in plain words: a heading a pool, then what is wrong, what shows it, what would help, and what to type. */
export function whyText(asked: readonly PoolSnapshot[], pools: readonly PoolSnapshot[], palette: Palette = plainPalette): string {
  const clean = plainLines(asked)
  const all = plainLines(pools)
  const found = clean.map((pool) => ({ pool, verdicts: verdictsOf(pool) }))
  const wrong = found.filter(({ verdicts }) => verdicts.length > 0)
  const blocks = wrong.map(({ pool, verdicts }) => [
    heading(pool, all, palette),
    ...verdicts.slice(0, mostShown).flatMap((verdict) => verdictLines(verdict, pool, all, palette)),
    ...(verdicts.length > mostShown ? [`${indent}… and ${verdicts.length - mostShown} more (unhang why --json)`] : []),
  ].join('\n'))
  if (!wrong.some(({ verdicts }) => verdicts.some((verdict) => verdict.stuck))) blocks.push(nothingStuck(clean, all, palette))
  return blocks.join('\n\n')
}

function heading(pool: PoolSnapshot, pools: readonly PoolSnapshot[], palette: Palette): string {
  return poolTitle(pool, pools).replace(pool.name, (name) => palette.bold(name))
}

function verdictLines(verdict: PoolVerdictSnapshot, pool: PoolSnapshot, pools: readonly PoolSnapshot[], palette: Palette): string[] {
  const tag = verdict.stuck ? palette.bad(verdictTag(verdict)) : palette.warning(verdictTag(verdict))
  const proposed = proposedCommands(verdict, pool, pools)
  const width = Math.max(0, ...proposed.map(({ command }) => command.length))
  return [
    `${indent}${tag}: ${verdict.summary}${confidenceWords(verdict)}`,
    ...verdict.evidence.map(({ what, value }) => `${indent}${indent}${palette.dim(`${what}: ${value}`)}`),
    ...(verdict.advice === '' ? [] : [`${indent}${indent}${verdict.advice}`]),
    ...proposed.map(({ command, does }) => `${indent}${indent}${indent}${palette.bold(command.padEnd(width))}  ${palette.dim(`# ${does}`)}`),
  ]
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
