import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { newest } from '../../runtimes/pythons'

/** A program whose next line must not run, and how it is when it is ended. */
export interface Row {
  readonly name: string
  readonly command: readonly string[]
  /** How many of its processes say that they run, before it is ended. */
  readonly waits: number
  /** Must be installed. */
  readonly needs?: string
  /**
   * How `unhang run` ends after SIGTERM, as a shell shows it; 143 unless the program has an exit code of its own (or
   * one of two, by its version).
   */
  readonly status?: number | readonly number[]
  /** What its handlers say at SIGTERM. */
  readonly said?: readonly string[]
  /** Whom SIGTERM does not end, nor, therefore, what is below that: the root, or the child of a root that does end. */
  readonly survives?: 'root' | 'child'
  /** Done to the root before the end: SIGSTOP by the test, SIGKILL by the test, or a debugger that holds it. */
  readonly root?: 'stopped' | 'killed' | 'traced'
  /** Also ended under CPU load in CI; by hand all are. */
  readonly loaded?: true
}

const python = (...args: string[]): string[] => [newest.path, ...args]
const bash = (line: string): string[] => ['bash', '-c', line]

const pythonRows: readonly Row[] = [
  {
    name: 'Python: Processes by fork, join(), with its output emptied first',
    command: python('processes.py', 'fork'),
    waits: 3,
    loaded: true,
  },
  { name: 'Python: Processes by spawn, join()', command: python('processes.py', 'spawn'), waits: 3 },
  { name: 'Python: Processes by forkserver, join()', command: python('processes.py', 'forkserver'), waits: 3 },
  { name: 'Python: ProcessPoolExecutor in `with`', command: python('executor.py', 'with'), waits: 3 },
  {
    name: 'Python: ProcessPoolExecutor, shutdown()',
    command: python('executor.py', 'shutdown'),
    waits: 3,
    loaded: true,
  },
  { name: 'Python: Pool in `with`, map()', command: python('pool.py', 'map'), waits: 3 },
  { name: 'Python: Pool in `with`, close() and join()', command: python('pool.py', 'join'), waits: 3 },
  { name: 'Python: subprocess.run() in a loop', command: python('subprocess_loop.py'), waits: 1 },
  {
    name: 'Python: a supervisor that starts its children again',
    command: python('supervisor.py'),
    waits: 3,
    loaded: true,
  },
  { name: 'Python: asyncio that waits for subprocesses', command: python('asyncio_wait.py'), waits: 3 },
  { name: 'Python: a handler of SIGCHLD', command: python('child_handler.py'), waits: 2 },
  { name: 'Python: three levels deep, by exec', command: python('levels.py', 'execs', '3'), waits: 1, loaded: true },
  { name: 'Python: three levels deep, by fork', command: python('levels.py', 'forks', '3'), waits: 1 },
  {
    name: 'Python: each child tells whether its parent has ended before it',
    command: python('watches_parent.py', '0'),
    waits: 7,
    status: 3,
    loaded: true,
  },
  {
    name: 'Python: a root that ignores SIGTERM, as its children then do',
    command: python('ignores.py', 'ignored'),
    waits: 2,
    survives: 'root',
  },
  {
    name: 'Python: a root whose handler of SIGTERM does nothing',
    command: python('ignores.py', 'handled'),
    waits: 2,
    survives: 'root',
    loaded: true,
  },
  {
    name: 'Python: a root that wraps up for 80 ms',
    command: python('well_behaved.py'),
    waits: 2,
    status: 7,
    said: ['handler', 'finally', 'atexit'],
    loaded: true,
  },
  { name: 'Python: a stopped root', command: python('processes.py', 'fork'), waits: 3, root: 'stopped', loaded: true },
  {
    name: 'Python: a stopped root that ignores SIGTERM',
    command: python('ignores.py', 'ignored'),
    waits: 2,
    root: 'stopped',
    survives: 'root',
  },
  {
    name: 'Python: a stopped root that wraps up for 80 ms',
    command: python('well_behaved.py'),
    waits: 2,
    root: 'stopped',
    status: 7,
    said: ['handler', 'finally', 'atexit'],
  },
  { name: 'Python: a Pool whose workers wait for commands', command: python('pool_of_commands.py'), waits: 2 },
  {
    name: 'Python: what is left of a Pool whose root was killed',
    command: python('pool_of_commands.py'),
    waits: 2,
    root: 'killed',
    status: 137,
  },
  {
    name: 'Python: what is left of subprocesses whose root was killed',
    command: python('levels.py', 'execs', '3'),
    waits: 1,
    root: 'killed',
    status: 137,
  },
  {
    name: 'Python: a root with a debugger on it',
    command: python('processes.py', 'fork'),
    waits: 3,
    root: 'traced',
    survives: 'root',
    needs: 'gdb',
  },
]

const shellRows: readonly Row[] = [
  {
    name: 'bash: servers, `wait`, next line',
    command: bash('./server & ./server & wait; echo deployed >> marker'),
    waits: 2,
    loaded: true,
  },
  {
    name: 'bash: `set -e`, servers, `wait`, next line',
    command: bash('set -e; ./server & ./server & wait; echo deployed >> marker'),
    waits: 2,
    loaded: true,
  },
  {
    name: 'bash: `set -e`, `wait` for each',
    command: bash('set -e; ./server & one=$!; ./server & wait $one || true; echo deployed >> marker'),
    waits: 2,
  },
  { name: 'bash: a foreground child, next line', command: bash('./server; echo next >> marker'), waits: 1 },
  { name: 'bash: a foreground child and ||', command: bash('./server || echo failed >> marker; ./server'), waits: 1 },
  { name: 'bash: a chain with &&', command: bash('(./server & wait) && echo next >> marker && ./server'), waits: 1 },
  { name: 'bash: a chain with ;', command: bash('./server; ./server; ./server'), waits: 1 },
  { name: 'bash: a loop that starts its server again', command: bash('while true; do ./server; done'), waits: 1 },
  { name: 'bash: a pipeline and &&', command: bash('./server | cat && echo piped >> marker'), waits: 1 },
  { name: 'bash: a command substitution', command: bash('answer=$(./server); echo "$answer" >> marker'), waits: 1 },
  {
    name: 'bash: shells in shells',
    command: bash('bash -c "bash -c \'./server; echo 3 >> marker\'; echo 2 >> marker"; echo 1 >> marker'),
    waits: 1,
    loaded: true,
  },
  {
    name: 'bash: a trap of CHLD',
    command: bash('trap "echo child >> marker" CHLD; ./server & while :; do read -t 1000 <> <(:); done'),
    waits: 1,
  },
  {
    name: 'bash: a trap of EXIT, while a foreground child runs',
    command: bash('trap "echo cleanup >> said" EXIT; ./server; echo next >> marker'),
    waits: 1,
    said: ['cleanup'],
    loaded: true,
  },
  {
    name: 'bash: a trap of EXIT, in `wait`',
    command: bash('trap "echo cleanup >> said" EXIT; ./server & wait; echo next >> marker'),
    waits: 1,
    said: ['cleanup'],
  },
  // bash runs a trap only when its foreground child has ended: where that leaves, nothing else can run; where it does
  // not, the next line does.
  {
    name: 'bash: a trap of TERM that leaves, while a foreground child runs',
    command: bash('trap "exit 0" TERM; ./server; echo next >> marker'),
    waits: 1,
  },
  {
    name: 'bash: a trap of TERM that does nothing, while a foreground child runs',
    command: bash('trap : TERM; ./server; echo next >> marker'),
    waits: 1,
    survives: 'root',
  },
  {
    name: 'bash: a trap of TERM that speaks of exit',
    command: bash('trap "echo exit" TERM; ./server; echo next >> marker'),
    waits: 1,
    survives: 'root',
  },
  {
    name: 'bash: a trap of TERM that leaves under a condition',
    command: bash('trap "test -e nothing && exit 1" TERM; ./server; echo next >> marker'),
    waits: 1,
    survives: 'root',
  },
  {
    name: 'bash: a trap of TERM that leaves a subshell',
    command: bash('trap "(exit 1)" TERM; ./server; echo next >> marker'),
    waits: 1,
    survives: 'root',
  },
  {
    name: 'bash: a trap of TERM that replaces one that leaves',
    command: bash('trap "exit 1" TERM; trap : TERM; ./server; echo next >> marker'),
    waits: 1,
    survives: 'root',
  },
  {
    name: 'bash: a trap of TERM that a file replaces',
    command: bash('trap "exit 1" TERM; . ./traps.sh; ./server; echo next >> marker'),
    waits: 1,
    survives: 'root',
  },
  {
    name: 'bash: a trap of TERM in a function that does not leave',
    command: bash('clean() { :; }; trap clean TERM; ./server; echo next >> marker'),
    waits: 1,
    survives: 'root',
  },
  {
    name: 'bash: a trap of TERM that leaves with 0, in `wait`',
    command: bash('trap "exit 0" TERM; ./server & wait; echo next >> marker'),
    waits: 1,
  },
  {
    name: 'bash: a child whose handler of SIGTERM does nothing',
    command: bash(`${newest.path} ignores.py handled; echo next >> marker`),
    waits: 2,
    survives: 'child',
  },
  { name: 'bash: stopped', command: bash('./server; echo next >> marker'), waits: 1, root: 'stopped' },
  {
    name: 'bash: children in sessions of their own',
    command: bash('setsid ./server & setsid ./server & wait; echo next >> marker'),
    waits: 2,
    loaded: true,
  },
  {
    name: 'dash: a foreground child, next line',
    command: ['dash', '-c', './server; echo next >> marker'],
    waits: 1,
    needs: 'dash',
  },
  {
    name: 'dash: `set -e`, servers, `wait`, next line',
    command: ['dash', '-c', 'set -e; ./server & ./server & wait; echo next >> marker'],
    waits: 2,
    needs: 'dash',
  },
]

const toolRows: readonly Row[] = [
  {
    name: 'make: a target that waits, then the next',
    command: ['make', 'deploy'],
    waits: 1,
    needs: 'make',
    loaded: true,
  },
  { name: 'make: a recipe that may fail', command: ['make', 'ignoring'], waits: 1, needs: 'make' },
  { name: 'make -j', command: ['make', '-j', '2', 'all'], waits: 2, needs: 'make' },
  { name: 'make in a script', command: bash('make deploy; echo next >> marker'), waits: 1, needs: 'make' },
  {
    name: 'xargs',
    command: ['xargs', '-a', 'package.json', '-n', '1', 'sh', '-c', './server; echo next >> marker; exit 0'],
    waits: 1,
    needs: 'xargs',
  },
  {
    name: 'xargs -P in a script',
    command: bash('seq 4 | xargs -P 2 -n 1 sh -c "./server; exit 0"; echo next >> marker'),
    waits: 2,
    needs: 'xargs',
    loaded: true,
  },
  { name: 'ninja', command: ['ninja'], waits: 1, needs: 'ninja', status: [2, 130] },
  { name: 'npm run a && npm run b', command: bash('npm run a && npm run b'), waits: 1, needs: 'npm' },
  { name: 'npm run with a pre script', command: ['npm', 'run', 'serve'], waits: 1, needs: 'npm' },
  { name: 'npm run of a script with npm run', command: ['npm', 'run', 'chained'], waits: 1, needs: 'npm' },
  {
    name: 'GNU parallel',
    command: ['parallel', '--will-cite', '-j', '2', './server', ':::', '1', '2', '3', '4'],
    waits: 2,
    needs: 'parallel',
    status: 255,
  },
  {
    name: 'GNU parallel in a script',
    command: bash('parallel --will-cite -j 2 ./server ::: 1 2 3 4; echo next >> marker'),
    waits: 2,
    needs: 'parallel',
  },
]

const nodeRows: readonly Row[] = [
  { name: "Node: three forks, 'exit'", command: ['node', 'fork.cjs'], waits: 3, loaded: true },
  { name: "Node: spawn, 'exit' and 'close'", command: ['node', 'spawn-close.cjs'], waits: 2 },
  { name: 'Node: a cluster that forks again', command: ['node', 'cluster.cjs'], waits: 3, loaded: true },
  { name: 'Node: execSync in a loop', command: ['node', 'exec-loop.cjs'], waits: 1 },
  {
    name: 'Node: a primary that takes 80 ms at SIGTERM and leaves with 0',
    command: ['node', 'exits-with-0.cjs'],
    waits: 2,
    said: ['handler'],
    loaded: true,
  },
]

export const rows: readonly Row[] = [...pythonRows, ...shellRows, ...toolRows, ...nodeRows]

/** Why it cannot run here. */
export function missing({ needs, command }: Row): string | undefined {
  if (newest.missing !== undefined && command.some((word) => word.includes(newest.path))) return newest.missing
  if (needs === undefined) return undefined
  const isThere = (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && existsSync(join(folder, needs)))
  return isThere ? undefined : `${needs} is not installed`
}
