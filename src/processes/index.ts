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
export { createUsageReader, mostInBatch, type UsageReader, type UsageReaderOptions } from './usageReader'
export { isAlive } from './isAlive'
export { signalName, signalNumber } from './signalNames'
export { forEachInSlices } from './slices'
export { baseName } from './commandLine/baseName'
export type { CommandTarget, InterpreterCommand, InterpreterOption } from './commandLine/interpreterCommand'
export { interpreterKind } from './commandLine/interpreterKind'
export { launchedCommand } from './commandLine/launchedCommand'
export { launchedIndex, launcherOf, operandIndex, type Launcher } from './commandLine/launchers'
export { nodeCommand, nodeOptionsWithValue } from './commandLine/nodeCommand'
export { commandName, programName } from './commandLine/programName'
export { pythonCommand, pythonOptionsWithValue } from './commandLine/pythonCommand'
export { splitCommandLine } from './commandLine/splitCommandLine'
