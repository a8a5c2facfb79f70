import type { CommandTarget, InterpreterCommand, InterpreterOption } from './interpreterCommand'
import { interpreterKind } from './interpreterKind'

/**
 * Options whose value may be the next argument: those that Node's own list (src/node_options.cc) does not call boolean,
 * of versions 20 to 24. V8's options have their value behind `=`.
 */
export const nodeOptionsWithValue: ReadonlySet<string> = new Set(
  [
    '-C -r --allow-fs-read --allow-fs-write --build-snapshot-config --conditions --cpu-prof-dir --cpu-prof-interval',
    '--cpu-prof-name --debug-port --diagnostic-dir --disable-proto --disable-warning --dns-result-order --env-file',
    '--env-file-if-exists --experimental-default-type --experimental-loader --experimental-policy',
    '--experimental-sea-config --heap-prof-dir --heap-prof-interval --heap-prof-name --heapsnapshot-near-heap-limit',
    '--heapsnapshot-signal --icu-data-dir --import --input-type --inspect-port --inspect-publish-uid --loader',
    '--localstorage-file --max-http-header-size --network-family-autoselection-attempt-timeout --openssl-config',
    '--policy-integrity --redirect-warnings --report-dir --report-directory --report-filename --report-signal --require',
    '--run --secure-heap --secure-heap-min --security-revert --security-reverts --snapshot-blob --test-concurrency',
    '--test-coverage-exclude --test-coverage-include --test-isolation --test-name-pattern --test-reporter',
    '--test-reporter-destination --test-shard --test-skip-pattern --test-timeout --title --tls-cipher-list --tls-keylog',
    '--trace-event-categories --trace-event-file-pattern --trace-require-module --unhandled-rejections --use-largepages',
    '--v8-pool-size --watch-kill-signal --watch-path',
  ].flatMap((names) => names.split(' ')),
)
const evaluates: ReadonlySet<string> = new Set(['-e', '--eval', '-p', '-pe', '--print'])

/**
 * Takes the command line of a Node.js apart, by the rules of Node's src/node_options-inl.h; undefined when the first
 * argument is no Node. What starts the Node (`env`, `timeout`) is for `launchedCommand`.
 */
export function nodeCommand(argv: readonly string[]): InterpreterCommand | undefined {
  const [interpreter, ...words] = argv
  if (interpreter === undefined || interpreterKind(interpreter) !== 'node') return undefined
  const options: InterpreterOption[] = []
  let code: CommandTarget | undefined
  let at = 0
  for (; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (!word.startsWith('-') || word === '-') break
    if (word === '--') {
      at += 1
      break
    }
    const equals = word.startsWith('--') ? word.indexOf('=') : -1
    const name = equals < 0 ? word : word.slice(0, equals)
    // A value that begins with a dash must stand behind `=`, or Node does not start.
    const next = words[at + 1]
    const follows = equals < 0 && next?.startsWith('-') === false
    const value = equals < 0 ? next : word.slice(equals + 1)
    if (evaluates.has(name)) {
      if (equals >= 0 || follows) code = { kind: 'code', option: name, code: value ?? '' }
      if (follows) at += 1
    } else if (nodeOptionsWithValue.has(name)) {
      options.push({ name, value: value ?? '' })
      if (equals < 0) at += 1
    } else options.push(equals < 0 ? { name } : { name, value: word.slice(equals + 1) })
  }
  if (code !== undefined) return { interpreter, options, target: code, args: words.slice(at) }
  const script = words[at]
  const target: CommandTarget =
    script === undefined || script === '-' ? { kind: 'input' } : { kind: 'script', path: script }
  return { interpreter, options, target, args: words.slice(at + 1) }
}
