// systeminformation has types for its index only.
declare module 'systeminformation/lib/cpu.js' {
  export { currentLoad, fullLoad } from 'systeminformation'
}
declare module 'systeminformation/lib/memory.js' {
  export { mem } from 'systeminformation'
}
declare module 'systeminformation/lib/processes.js' {
  export { processes } from 'systeminformation'
}
declare module 'systeminformation/lib/util.js' {
  /** Finds out the code page of Windows' programs, which the library decodes their output by. */
  export function getCodepage(): void
  /** Finds out which PowerShell is installed. */
  export function getPowershell(): void
}
