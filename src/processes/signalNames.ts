import { constants } from 'node:os'

const byNumber = new Map<number, NodeJS.Signals>()
for (const [name, number] of Object.entries(constants.signals)) {
  // The first name wins where a number has two (SIGABRT and SIGIOT, SIGIO and SIGPOLL).
  if (!byNumber.has(number)) byNumber.set(number, name as NodeJS.Signals)
}

/** The name of a signal number on this system (`15` → `SIGTERM`), undefined for real-time and unknown ones. */
export function signalName(number: number): NodeJS.Signals | undefined {
  return byNumber.get(number)
}

/** The number of a signal on this system (`SIGKILL` → `9`), undefined where the system has none of that name. */
export function signalNumber(name: NodeJS.Signals): number | undefined {
  const numbers: Partial<Record<NodeJS.Signals, number>> = constants.signals
  return numbers[name]
}

/** Signals named in one of the hexadecimal masks of `/proc/PID/status`; bit n-1 stands for signal n. */
export function signalsInMask(hexadecimal: string): Set<NodeJS.Signals> {
  const names = new Set<NodeJS.Signals>()
  // The upper half of the 64 bits holds real-time signals, which Node cannot name.
  for (const number of numbersInMask(hexadecimal)) {
    const name = byNumber.get(number)
    if (name !== undefined) names.add(name)
  }
  return names
}

/** The same as numbers, real-time signals included. */
export function numbersInMask(hexadecimal: string): Set<number> {
  const bits = BigInt(`0x${hexadecimal}`)
  const numbers = new Set<number>()
  for (let number = 1; number <= 64; number++) if ((bits >> BigInt(number - 1)) & 1n) numbers.add(number)
  return numbers
}
