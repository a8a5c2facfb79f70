export type * from './types'
export { Pool } from './pool'
export type { ApplyOptions, RunItemsOptions, TaskFunctionName } from './task-desk'
export { AsyncResult } from './async-result'
export { activeChildren, terminatePools } from './registry'
export type { ActiveChild } from './registry'
export { killLedger } from './system'
export {
  CommandFailedError,
  NotReadyError,
  PoolFailedError,
  PoolOptionError,
  PoolStateError,
  SerializationError,
  StartError,
  TaskCancelledError,
  TaskTimeoutError,
  TimeoutError,
  WorkerLostError,
} from './errors'
export { PreemptionHandler, TerminationConfig, TerminationConfigError, detectPlatform, metadataWatcher, pollingWatcher } from '../shutdown'
export type { Platform, PreemptiblePool, PreemptionEvent, PreemptionHandlerOptions, SaveContext, TerminationFields, TerminationNotice, TerminationWatcher } from '../shutdown'
