export type * from './types'
export { mostThreads } from './types'
export { createProcessTable, processTable, protectedPids, type ProcessTableOptions } from './createProcessTable'
export { ProtectedPids } from './protectedPids'
export { markerVariable } from './linux/markers'
export {
  Sampler,
  type MachineSubscription,
  type SamplerSources,
  type UsageSample,
  type UsageSubscription,
} from './sampler'
export { readMachineLoad, type MachineLoad } from './machineLoad'
export { isAlive } from './isAlive'
export { signalName, signalNumber } from './signalNames'
export { forEachInSlices } from './slices'
