import { baseName } from './baseName'

/** How a program that starts another one reads the arguments in front of that one's command line. */
export interface Launcher {
  /** Letters of options with a value: the rest of the word, else the next argument. */
  readonly valued?: string
  /** Long options with a value, without their dashes. */
  readonly valuedLong?: readonly string[]
  /** Number of arguments between the options and the command, `5s` of `timeout 5s python3`. */
  readonly operands?: number
  /** Word that must stand in front of the command, with options on both sides of it. */
  readonly verb?: string
}

const environmentOptions = ['name', 'prefix', 'cwd', 'root-prefix']

/**
 * Programs that start the command behind their own arguments. Their options are those of GNU coreutils 9, util-linux
 * 2.38, uv 0.13, Poetry 2, PDM 2, Pipenv 2024, conda 24 and micromamba 2.
 */
export const launchers: ReadonlyMap<string, Launcher> = new Map(
  Object.entries({
    builtin: {},
    busybox: {},
    chroot: { operands: 1, valuedLong: ['groups', 'userspec'] },
    chrt: { valued: 'TPD', operands: 1 },
    command: {},
    conda: { verb: 'run', valued: 'np', valuedLong: environmentOptions },
    doas: { valued: 'Cu' },
    env: { valued: 'uCS', valuedLong: ['unset', 'chdir', 'split-string'] },
    exec: { valued: 'a' },
    flock: { valued: 'wE', valuedLong: ['timeout', 'wait', 'conflict-exit-code'], operands: 1 },
    ionice: { valued: 'cn', valuedLong: ['class', 'classdata'] },
    ltrace: { valued: 'eosuna' },
    mamba: { verb: 'run', valued: 'npre', valuedLong: [...environmentOptions, 'env', 'attach', 'label'] },
    micromamba: { verb: 'run', valued: 'npre', valuedLong: [...environmentOptions, 'env', 'attach', 'label'] },
    nice: { valued: 'n', valuedLong: ['adjustment'] },
    nohup: {},
    nsenter: { valued: 't', valuedLong: ['target'] },
    numactl: { valued: 'imNCpPw', valuedLong: ['interleave', 'membind', 'cpunodebind', 'physcpubind', 'preferred'] },
    pdm: { verb: 'run', valued: 'cp', valuedLong: ['config', 'project', 'site-packages'] },
    pipenv: { verb: 'run', valuedLong: ['python', 'pypi-mirror'] },
    poetry: { verb: 'run', valued: 'CP', valuedLong: ['directory', 'project'] },
    prlimit: {},
    setarch: { operands: 1 },
    setpriv: {
      valuedLong: ['reuid', 'regid', 'groups', 'inh-caps', 'ambient-caps', 'bounding-set', 'securebits', 'pdeathsig'],
    },
    setsid: {},
    stdbuf: { valued: 'ioe', valuedLong: ['input', 'output', 'error'] },
    strace: { valued: 'abeEIoOPpsSuUX' },
    sudo: { valued: 'ugpCDhrtTUR', valuedLong: ['user', 'group', 'prompt', 'chdir', 'host', 'role', 'type', 'chroot'] },
    taskset: { operands: 1 },
    time: { valued: 'fo', valuedLong: ['format', 'output'] },
    timeout: { valued: 'ks', valuedLong: ['kill-after', 'signal'], operands: 1 },
    toybox: {},
    unshare: { valued: 'SGRw' },
    uv: {
      verb: 'run',
      valued: 'wifPCp',
      valuedLong: [
        'allow-insecure-host cache-dir color config-file config-setting config-settings-package default-index',
        'directory env-file exclude-newer exclude-newer-package extra extra-index-url find-links fork-strategy',
        'group index index-strategy index-url keyring-provider link-mode no-binary-package',
        'no-build-isolation-package no-build-package no-editable-package no-extra no-group no-sources-package',
        'only-group package prerelease prerelease-package project python python-platform python-preference',
        'refresh-package reinstall-package resolution upgrade-group upgrade-package with with-editable',
        'with-requirements',
      ].flatMap((names) => names.split(' ')),
    },
  } satisfies Record<string, Launcher>),
)

/** The launcher that a program file is, by its name. */
export function launcherOf(program: string): Launcher | undefined {
  return launchers.get(baseName(program).replace(/\.exe$/i, ''))
}

/**
 * Index of the first argument behind `at` that is neither an option nor an option's value, by the rules of getopt(3);
 * the number of arguments when there is none.
 */
export function operandIndex(argv: readonly string[], at: number, { valued = '', valuedLong = [] }: Launcher): number {
  let index = at + 1
  for (; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (word === '--') return index + 1
    if (!word.startsWith('-') || word === '-') return index
    if (word.startsWith('--')) {
      if (valuedLong.includes(word.slice(2))) index += 1
      continue
    }
    const found = Array.from(word).findIndex((letter, place) => place > 0 && valued.includes(letter))
    if (found === word.length - 1) index += 1
  }
  return index
}

/** Index of the command that the launcher at `at` starts; undefined when it starts none. */
export function launchedIndex(argv: readonly string[], at: number, launcher: Launcher): number | undefined {
  let index = operandIndex(argv, at, launcher)
  if (launcher.verb !== undefined) {
    if (argv[index] !== launcher.verb) return undefined
    index = operandIndex(argv, index, launcher)
  }
  index = commandIndex(argv, index) + (launcher.operands ?? 0)
  return index < argv.length ? index : undefined
}

/** Index of the first argument from `at` on that is no assignment (`NAME=value`), as `env` and shells read them. */
export function commandIndex(argv: readonly string[], at: number): number {
  let index = at
  while (/^\w+=/.test(argv[index] ?? '')) index += 1
  return index
}
