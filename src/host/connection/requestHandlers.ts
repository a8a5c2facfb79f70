import type { OutputFeed } from '../output/outputFeed'
import type { CheckedParamsOf, ParamsOf, RequestMethod, ResultOf } from '../../protocol'

/** The client that sent a request, as its handler sees it. */
export interface Asker {
  /** Its own process, as reported in the handshake. */
  readonly processId: number | undefined
  /** The pid namespace that gives its pids their meaning, as reported in the handshake. */
  readonly pidNamespace: string | undefined
  /** The measurements that the client wants. */
  wanted: ParamsOf<'unhang/watch'> | undefined
  /** Starts or continues to send it a pool's output. */
  follow(poolId: string, feed: OutputFeed): void
  unfollow(poolId: string): void
}

/** What the host does for each request, given checked parameters. Handlers throw `RequestError` or `LaunchError`. */
export type RequestHandlers = {
  readonly [M in RequestMethod]: (params: CheckedParamsOf<M>, asker: Asker) => Promise<ResultOf<M>> | ResultOf<M>
}
