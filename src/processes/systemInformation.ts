/**
 * The parts of systeminformation that are in use. A bundle of its own (`dist/system-information.js`), imported only
 * through `import('./systemInformation')`: Linux needs it for the machine's load alone. The library's index would read
 * all of its 700 kB, and hold the event loop for more than 20 ms.
 */
import { getCodepage, getPowershell } from 'systeminformation/lib/util.js'

// As the library's index does before anything is asked.
if (process.platform === 'win32') {
  getCodepage()
  getPowershell()
}

export { currentLoad, fullLoad } from 'systeminformation/lib/cpu.js'
export { mem } from 'systeminformation/lib/memory.js'
export { processes } from 'systeminformation/lib/processes.js'
