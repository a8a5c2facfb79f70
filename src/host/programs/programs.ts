import { errorCodes } from '../../protocol'
import { RequestError } from '../connection/requestHandlers'
import type { ProgramRequests } from './programRequests'

/** The user's own programs, watched and attached. */
export class Programs implements ProgramRequests {
  run(): Promise<never> { return notYet() }
  started(): Promise<never> { return notYet() }
  exited(): void { /* nothing is watched */ }
  look(): Promise<void> { return Promise.resolve() }
  rescue(): Promise<never> { return notYet() }
  stacks(): Promise<never> { return notYet() }
  attach(): Promise<never> { return notYet() }
  confirm(): Promise<never> { return notYet() }
  processes(): Promise<never> { return notYet() }
}

function notYet(): Promise<never> {
  return Promise.reject(new RequestError(errorCodes.wrongState, 'Programs cannot be watched yet.'))
}
