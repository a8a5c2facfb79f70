import type { Socket } from 'node:net'

/**
 * A write to a worker that has just died fails, and a stream whose write failed throws away what it could still read:
 * the worker's last answers, so that tasks which are done would be lost. The end of the stream reports the end of the
 * worker anyway.
 */
export function outliveWriteErrors(channel: Socket, failed: (error: NodeJS.ErrnoException) => void): void {
  const write = channel._write.bind(channel)
  const writeMany = channel._writev?.bind(channel)
  const settle = (callback: () => void) => (error?: Error | null) => {
    if (error) failed(error)
    callback()
  }
  channel._write = (chunk, encoding, callback) => {
    write(chunk, encoding, settle(callback))
  }
  if (writeMany)
    channel._writev = (chunks, callback) => {
      writeMany(chunks, settle(callback))
    }
}
