import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { feederPipeFull } from './feederPipeFull'
import { mainThreadPipeFull } from './mainThreadPipeFull'
import { programFeederPipeFull } from './programFeederPipeFull'

/** A thread waits in write(): the reader has stopped reading, and the pipe is full (causes 7 and 8 in README.md). */
export function outputPipeFull(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return [...mainThreadPipeFull(facts), ...feederPipeFull(facts), ...programFeederPipeFull(facts)]
}
