import {
  poolsOfProgram,
  verdictsOf,
  type PoolSnapshot,
  type PoolVerdictSnapshot,
  type RunningProgram,
} from '../../protocol'
import { plainLines, totalTasks } from '../../words'
import { plainPalette, type Palette } from '../output/palette'
import { countWords } from '../words/counts'
import { plural } from '../words/plural'
import { leftLines } from '../words/unwatched'
import { advisedVerdicts, poolTitle, verdictTag, type AdvisedVerdicts, type ProposedCommand } from '../words/verdicts'

const indent = '  '
/** A thousand lost tasks are one cause: the first ones tell it, `--json` has them all. */
const mostShown = 20

/**
 * The verdicts in plain words: a heading a pool, then what is wrong, what shows it, what would help, and what to type.
 */
export function whyText(
  asked: readonly PoolSnapshot[],
  pools: readonly PoolSnapshot[],
  palette: Palette = plainPalette,
  unwatched: readonly RunningProgram[] = [],
): string {
  const clean = plainLines(asked)
  const all = plainLines(pools)
  const found = clean.map((pool) => ({ pool, verdicts: verdictsOf(pool) }))
  const wrong = found.filter(({ verdicts }) => verdicts.length > 0)
  const blocks = wrong.map(({ pool, verdicts }) =>
    [
      heading(pool, all, palette),
      ...adviceLines(advisedVerdicts(pool, all), palette),
      ...(verdicts.length > mostShown
        ? [`${indent}… and ${verdicts.length - mostShown} more (unhang why --json)`]
        : []),
    ].join('\n'),
  )
  if (!wrong.some(({ verdicts }) => verdicts.some((verdict) => verdict.stuck)))
    blocks.push(
      clean.length === 0 && unwatched.length > 0
        ? 'nothing is known to be stuck: no pool is watched here'
        : nothingStuck(clean, all, palette),
    )
  return [blocks.join('\n\n'), ...leftLines(unwatched)].join('\n')
}

function heading(pool: PoolSnapshot, pools: readonly PoolSnapshot[], palette: Palette): string {
  return poolTitle(pool, pools).replace(pool.name, (name) => palette.bold(name))
}

/** Each verdict with what shows it; then what would help, which is said once, and what to type. */
function adviceLines(groups: readonly AdvisedVerdicts[], palette: Palette): string[] {
  const shown = groups
    .map((group, at) => ({
      ...group,
      verdicts: group.verdicts.slice(0, Math.max(0, mostShown - countIn(groups.slice(0, at)))),
    }))
    .filter(({ verdicts }) => verdicts.length > 0)
  return shown.flatMap(({ verdicts, advice, commands }) => [
    ...verdicts.flatMap((verdict) => verdictLines(verdict, palette)),
    ...(advice === '' ? [] : [`${indent}${indent}${advice}`]),
    ...commandLines(commands, palette),
  ])
}

function countIn(groups: readonly AdvisedVerdicts[]): number {
  return groups.reduce((sum, { verdicts }) => sum + verdicts.length, 0)
}

function verdictLines(verdict: PoolVerdictSnapshot, palette: Palette): string[] {
  const tag = verdict.stuck ? palette.bad(verdictTag(verdict)) : palette.warning(verdictTag(verdict))
  return [
    `${indent}${tag}: ${verdict.summary}${confidenceWords(verdict)}`,
    ...verdict.evidence.map(({ what, value }) => `${indent}${indent}${palette.dim(`${what}: ${value}`)}`),
  ]
}

function commandLines(commands: readonly ProposedCommand[], palette: Palette): string[] {
  const width = Math.max(0, ...commands.map(({ command }) => command.length))
  return commands.map(
    ({ command, does }) =>
      `${indent}${indent}${indent}${palette.bold(command.padEnd(width))}  ${palette.dim(`# ${does}`)}`,
  )
}

function confidenceWords({ confidence }: PoolVerdictSnapshot): string {
  return confidence === 'certain' ? '' : ` (${confidence})`
}

function nothingStuck(asked: readonly PoolSnapshot[], pools: readonly PoolSnapshot[], palette: Palette): string {
  if (asked.length === 0) return 'nothing is stuck: no pool runs here'
  // What has no observer inside may well be.
  const blind = asked.some(({ state, program }) => state !== 'ended' && program?.observer === 'failed')
  return [
    blind ? palette.warning('nothing is known to be stuck') : palette.good('nothing is stuck'),
    ...byProgram(asked).map((pool) => `${indent}${poolTitle(pool, pools)}  ${doing(pool)}`.trimEnd()),
  ].join('\n')
}

/** Each program with its pools below it. */
function byProgram(asked: readonly PoolSnapshot[]): PoolSnapshot[] {
  return asked
    .filter(({ programId }) => !asked.some(({ id }) => id === programId))
    .flatMap((pool) => [pool, ...poolsOfProgram(pool, asked)])
}

function doing(pool: PoolSnapshot): string {
  if (pool.state === 'ended') return 'ended'
  if (totalTasks(pool.counts) > 0) return countWords(pool.counts).join(', ')
  const live = pool.workers.filter((worker) => worker.status !== 'exited' && worker.pid !== pool.program?.pid).length
  if (live === 0) return ''
  // The workers of its pools are told there.
  return pool.program === null ? plural(live, 'worker') : plural(live, 'process of its own', 'processes of its own')
}
