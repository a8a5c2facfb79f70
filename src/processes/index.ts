export type * from './types'
export { mostThreads } from './types'
export { createProcessTable, processTable, protectedPids, type ProcessTableOptions } from './create-process-table'
export { ProtectedPids } from './protected-pids'
export { markerVariable } from './linux/markers'
export {
  Sampler,
  type MachineSubscription,
  type SamplerSources,
  type UsageSample,
  type UsageSubscription,
} from './sampler'
export { readMachineLoad, type MachineLoad } from './machine-load'
export { isAlive } from './is-alive'
export { signalName, signalNumber } from './signal-names'
export { forEachInSlices } from './slices'
