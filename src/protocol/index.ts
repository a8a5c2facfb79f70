/** Messages between the host and its clients. Nothing here loads zod; the schemas are exported by schemas.ts. */
export * from './messages'
export type * from './results'
export type * from './snapshot'
export * from './bounds'
export * from './applyDelta'
export * from './failureReason'
export * from './verdicts'
