export type * from './types'
export { Pool } from './pool'
export type { ApplyOptions, MapAsyncOptions, RunItemsOptions, TaskFunctionName } from './task-desk'
export type { MapOptions } from './map'
export { AsyncResult } from './async-result'
export { activeChildren, terminatePools } from './registry'
export type { ActiveChild } from './registry'
export { currentTask, RemoteTraceback } from '../runtimes'
export type { CurrentTask } from '../runtimes'
export { killLedger } from './system'
export {
  CommandFailedError,
  NotReadyError,
  PoolFailedError,
  PoolOptionError,
  PoolStateError,
  QueueFullError,
  SerializationError,
  StartError,
  TaskCancelledError,
  TaskTimeoutError,
  TimeoutError,
  WorkerLostError,
} from './errors'
export {
  PreemptionHandler,
  TerminationConfig,
  TerminationConfigError,
  detectPlatform,
  metadataWatcher,
  pollingWatcher,
} from '../shutdown'
export type {
  Platform,
  PreemptiblePool,
  PreemptionEvent,
  PreemptionHandlerOptions,
  SaveContext,
  TerminationFields,
  TerminationNotice,
  TerminationWatcher,
} from '../shutdown'
