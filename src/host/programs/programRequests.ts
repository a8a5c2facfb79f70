import type { ProgramSession, ParamsOf, ProcessStacks, ListedProcess, ResultOf, AttachedProcess } from '../../protocol'

/** Who says that it has started a program: its own process, and the pid namespace of the numbers that it names. */
export interface Starter {
  readonly processId: number | undefined
  readonly pidNamespace: string | undefined
}

/**
 * What clients ask of the user's own programs. All of it throws `RequestError` for what is not there or not possible.
 */
export interface ProgramRequests {
  run(params: ParamsOf<'unhang/runProgram'>): Promise<ProgramSession>
  /** `starter` is the client that says so: the program must be its child. */
  started(params: ParamsOf<'unhang/programStarted'>, starter: Starter): Promise<void>
  exited(params: ParamsOf<'unhang/programExited'>): Promise<ResultOf<'unhang/programExited'>>
  /** Settles when the verdicts of the pool, or of all, are as fresh as they can be. */
  look(poolId: string | undefined): Promise<void>
  rescue(params: ParamsOf<'unhang/rescue'>): Promise<ResultOf<'unhang/rescue'>>
  stacks(pid: number): Promise<ProcessStacks>
  attach(pid: number): Promise<AttachedProcess>
  confirm(params: ParamsOf<'unhang/confirmAttached'>): Promise<void>
  processes(): Promise<ListedProcess[]>
}
