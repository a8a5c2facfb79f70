import type {
  AttachProcess,
  ConfirmAttached,
  GetStacks,
  ListProcesses,
  ProgramExited,
  ProgramStarted,
  Rescue,
  RunProgram,
} from '../../protocol'

/** Who says that it has started a program: its own process, and the pid namespace of the numbers that it names. */
export interface Starter {
  readonly processId: number | undefined
  readonly pidNamespace: string | undefined
}

/**
 * What clients ask of the user's own programs. All of it throws `RequestError` for what is not there or not possible.
 */
export interface ProgramRequests {
  run(params: RunProgram.Params): Promise<RunProgram.Result>
  /** `starter` is the client that says so: the program must be its child. */
  started(params: ProgramStarted.Params, starter: Starter): Promise<void>
  exited(params: ProgramExited.Params): Promise<ProgramExited.Result>
  /** Settles when the verdicts of the pool, or of all, are as fresh as they can be. */
  look(poolId: string | undefined): Promise<void>
  rescue(params: Rescue.Params): Promise<Rescue.Result>
  stacks(pid: number): Promise<GetStacks.Result>
  attach(pid: number): Promise<AttachProcess.Result>
  confirm(params: ConfirmAttached.Params): Promise<void>
  processes(): Promise<ListProcesses.Process[]>
}
