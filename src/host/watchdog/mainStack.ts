import { Session, type Debugger } from 'node:inspector'

/** JavaScript is interrupted within milliseconds; a thread in a system call or in native code does not answer. */
const patienceMs = 500
const mostFrames = 20

/**
 * The stack of the main thread, innermost first, if it runs JavaScript: it is paused for the moment of being asked,
 * some milliseconds. Undefined when it does not answer. Whatever happens, the session is closed, and with it every
 * pause.
 */
export async function mainStack(): Promise<string[] | undefined> {
  const session = new Session()
  session.connectToMainThread()
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve) => {
      timer = setTimeout(() => {
        resolve(undefined)
      }, patienceMs)
      // A frame names its script by a number; enabling the debugger reports the scripts of all numbers.
      const scripts = new Map<string, string>()
      session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => {
        scripts.set(scriptId, url)
      })
      session.once('Debugger.paused', ({ params }) => {
        resolve(params.callFrames.slice(0, mostFrames).map((frame) => frameInWords(frame, scripts)))
      })
      // Closed before they were answered, they end with an error; that of the time limit is enough.
      session.post('Debugger.enable', () => undefined)
      session.post('Debugger.pause', () => undefined)
    })
  } finally {
    clearTimeout(timer)
    session.disconnect()
  }
}

function frameInWords({ functionName, location }: Debugger.CallFrame, scripts: ReadonlyMap<string, string>): string {
  return (
    `${functionName === '' ? '(anonymous)' : functionName} ` +
    `(${scripts.get(location.scriptId) ?? 'unknown'}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1})`
  )
}
