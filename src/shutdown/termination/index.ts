export { defaultLimits, type PreemptionLimits } from './budget'
export { detectPlatform, type DetectionOptions } from './detectPlatform'
export { describePreemption, isWarning, type PreemptionEvent, type PreemptionPhase } from './events'
export type { OwnProcess } from './ownProcess'
export { platforms, terminationPresets, type Platform, type TerminationPreset } from './platform'
export type { PreemptiblePool, PreemptionOrder } from './preemptiblePool'
export { PreemptionHandler, type PreemptionHandlerOptions } from './preemptionHandler'
export {
  TerminationConfig,
  TerminationConfigError,
  type CompleteTermination,
  type SaveContext,
  type TerminationFields,
  type TerminationNotice,
} from './terminationConfig'
export {
  metadataWatcher,
  pollingWatcher,
  type PollingOptions,
  type TerminationWatcher,
  type WatchHooks,
} from './watchers'
