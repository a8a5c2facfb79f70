/** One pattern out of parts that stand on lines of their own: their sources in order, with the flags of the first. */
export function pattern(first: RegExp, ...others: readonly RegExp[]): RegExp {
  return new RegExp([first, ...others].map(({ source }) => source).join(''), first.flags)
}
