/** A shutdown is about a pool (`pool-x`) or about one worker of it (`pool-x/PoolWorker-3`): the pool in either case. */
export function poolIdOfSubject(subjectId: string): string {
  const end = subjectId.indexOf('/')
  return end === -1 ? subjectId : subjectId.slice(0, end)
}
