export { defaultLimits, type PreemptionLimits } from './budget'
export { detectPlatform, type DetectionOptions } from './detect-platform'
export { describePreemption, isWarning, type PreemptionEvent, type PreemptionPhase } from './events'
export type { OwnProcess } from './own-process'
export { platforms, terminationPresets, type Platform, type TerminationPreset } from './platform'
export type { PreemptiblePool, PreemptionOrder } from './preemptible-pool'
export { PreemptionHandler, type PreemptionHandlerOptions } from './preemption-handler'
export {
  TerminationConfig,
  TerminationConfigError,
  type CompleteTermination,
  type SaveContext,
  type TerminationFields,
  type TerminationNotice,
} from './termination-config'
export {
  metadataWatcher,
  pollingWatcher,
  type PollingOptions,
  type TerminationWatcher,
  type WatchHooks,
} from './watchers'
