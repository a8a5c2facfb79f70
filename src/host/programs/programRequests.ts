import type { AttachProcess, ConfirmAttached, GetStacks, ListProcesses, ProgramExited, ProgramStarted, Rescue, RunProgram } from '../../protocol'

/** What clients ask of the user's own programs. All of it throws `RequestError` for what is not there or not possible. */
export interface ProgramRequests {
  run(params: RunProgram.Params): Promise<RunProgram.Result>
  /** `clientPid` is the process of the client that says so: the program must be its child. */
  started(params: ProgramStarted.Params, clientPid: number | undefined): Promise<void>
  exited(params: ProgramExited.Params): Promise<ProgramExited.Result>
  /** Settles when the verdicts of the pool, or of all, are as fresh as they can be. */
  look(poolId: string | undefined): Promise<void>
  rescue(params: Rescue.Params): Promise<Rescue.Result>
  stacks(pid: number): Promise<GetStacks.Result>
  attach(pid: number): Promise<AttachProcess.Result>
  confirm(params: ConfirmAttached.Params): Promise<void>
  processes(): Promise<ListProcesses.Process[]>
}
