export type * from './terms/types'
export { Pool } from './pool'
export type { ApplyOptions, MapAsyncOptions, RunItemsOptions, TaskFunctionName } from './calls/submission'
export type { MapOptions } from './tasks/map'
export { AsyncResult } from './tasks/asyncResult'
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
} from './terms/errors'
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
