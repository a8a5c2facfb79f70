/**
 * One run proves little, and CI has little time: `UNHANG_NEXT_LINE_RUNS=20` takes twenty of each, and all of them under
 * CPU load.
 */
export const byHand = process.env.UNHANG_NEXT_LINE_RUNS !== undefined
const runs = Number(process.env.UNHANG_NEXT_LINE_RUNS ?? 1)
if (!Number.isInteger(runs) || runs < 1)
  throw new Error(
    `UNHANG_NEXT_LINE_RUNS must be a whole number from 1 on, but is ${String(process.env.UNHANG_NEXT_LINE_RUNS)}`,
  )

/** Side by side: that is load, too. */
const atOnce = 4

export const timeoutMs = 120_000 + runs * 20_000

/** What was wrong in any of the runs, with which run that was. */
export async function wrongInAnyRun(one: () => Promise<readonly string[]>): Promise<string[]> {
  const wrong: string[] = []
  for (let from = 0; from < runs; from += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, runs - from) }, (_, at) => from + at + 1)
    const found = await Promise.all(
      batch.map(async (at) => (await one()).map((what) => `run ${at} of ${runs}: ${what}`)),
    )
    wrong.push(...found.flat())
  }
  return wrong
}
