import type { HostConnection } from '../../discovery'
import { plainLine } from '../../words'
import { requestShutdown } from '../ending/request'
import { CliError } from '../errors'
import type { Terminal } from '../output/terminal'
import type { PoolFollower } from './follower'
import type { Interrupts, InterruptStep } from './interrupts'

const announcements: Readonly<Record<Exclude<InterruptStep, 'leave'>, string>> = {
  terminate: 'terminating the pool (Ctrl-C again: kill it)',
  kill: 'killing the pool (Ctrl-C again: leave it)',
}

/** From now on interrupts end the pool that is followed, through the host's shutdown core. */
export function endOnInterrupt(
  interrupts: Interrupts,
  host: HostConnection,
  poolId: string,
  follower: PoolFollower,
  terminal: Terminal,
): void {
  interrupts.listen(({ step, typed }) => {
    if (step === 'leave') {
      // Ended by the signal itself, as the shell expects; the pool stays with the host.
      interrupts.dispose()
      process.kill(process.pid, 'SIGINT')
      return
    }
    terminal.note(announcements[step])
    requestShutdown(host, {
      targets: [{ kind: 'pool', poolId }],
      mode: step,
      reason: typed ? 'Ctrl-C' : 'SIGTERM',
    }).then(
      ({ issues }) => {
        for (const issue of issues) terminal.note(terminal.stderrPalette.bad(plainLine(issue)))
        if (issues.length === 0) return
        if (!typed)
          follower.giveUp(
            new CliError('the pool is left with what could not be ended', [`SIGKILL ends it: unhang kill ${poolId}`]),
          )
        else if (step === 'terminate') terminal.note('Ctrl-C again sends SIGKILL to what is left')
      },
      (error: unknown) => {
        terminal.note(plainLine(error instanceof Error ? error.message : String(error)))
      },
    )
  })
}
