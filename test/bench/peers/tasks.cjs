// What every pool runs: jest-worker, workerpool (see tasks-workerpool.cjs) and ours call these by name, tinypool the
// default export.
'use strict'
exports.noop = (value) => value
/** Keeps the CPU busy, by the clock: a machine that is busy with other things does not make it longer. */
exports.busy = (micros) => {
  const end = performance.now() + micros / 1000
  while (performance.now() < end);
  return micros
}
/** The same under another name: what is known of one says nothing of the other. */
exports.busyLong = (micros) => exports.busy(micros)
/** Cannot be ended but by SIGKILL. */
exports.stubborn = () => {
  process.on('SIGTERM', () => {})
  for (;;);
}
