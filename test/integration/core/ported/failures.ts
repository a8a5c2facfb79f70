import { expect } from 'vitest'
import { RemoteTraceback, SerializationError, WorkerLostError } from '../../../../src/core'
import type { AsyncResult, Pool, WorkerInfo } from '../../../../src/core'
import { rejection, until } from '../support'
import { range, within } from './runtimes'
import type { Runtime } from './runtimes'

/**
 * How something fails: a segmentation fault, abort(), the language's exit, the system's (no handlers run), an error.
 */
export type Way = 'crash' | 'abort' | 'exit' | 'c_exit' | 'error'
/** How a process is seen to end. */
type Exit = Pick<WorkerInfo, 'exitCode' | 'signal'>

/** A task that fails at some stage of its way, and what must come of it. */
export interface Failure {
  submit(pool: Pool, runtime: Runtime): AsyncResult
  expectError(error: unknown, runtime: Runtime): void
  /** How its worker ends; null when it must live on; undefined when it ends, in whatever way. */
  readonly exit: Exit | null | undefined
  /** False when its worker is given another task before it ends, which would be lost as well. */
  readonly mayHaveSuccessor: boolean
}

function exitOf(way: Way, code: number): Exit | null {
  switch (way) {
    case 'crash':
      return { exitCode: null, signal: 'SIGSEGV' }
    case 'abort':
      return { exitCode: null, signal: 'SIGABRT' }
    case 'exit':
      return { exitCode: code, signal: null }
    case 'c_exit':
      return { exitCode: code, signal: null }
    case 'error':
      return null
  }
}

function lost(exit: Exit): Failure['expectError'] {
  return (error) => {
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject(exit)
    expect((error as Error).message).toContain(exit.signal ?? `exit ${exit.exitCode}`)
  }
}

function unserializable(
  what: 'argument' | 'result',
  path: (runtime: Runtime) => string,
  detail: string,
): Failure['expectError'] {
  return (error, runtime) => {
    expect(error).toBeInstanceOf(SerializationError)
    expect(error).toMatchObject({ what, path: path(runtime), detail: expect.stringContaining(detail) as unknown })
  }
}

/** An error of the task's own, with its class, its message, and where in the worker it was. */
function remote(name: string, message: string): Failure['expectError'] {
  return (error) => {
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name, message })
    expect((error as Error).cause).toBeInstanceOf(RemoteTraceback)
    expect(((error as Error).cause as Error).stack).toContain(message)
  }
}

/**
 * While the pool serializes the arguments, here. `exit`: what is thrown is no Error (as Python's SystemExit is no
 * Exception).
 */
export function atTaskPickle(way: 'exit' | 'error'): Failure {
  const argument = {
    good: 1,
    get bad(): never {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the point
      throw way === 'exit' ? 'no more of this' : Object.assign(new Error('Error in pickle'), { name: 'PicklingError' })
    },
  }
  return {
    submit: (pool) => pool.applyAsync('identity', [argument]),
    expectError: unserializable(
      'argument',
      () => 'arguments[0].bad',
      way === 'exit' ? 'no more of this' : 'Error in pickle',
    ),
    exit: null,
    mayHaveSuccessor: true,
  }
}

/**
 * Before the run, in the worker: the first code of the user's that can run there is the function's module, while it is
 * loaded.
 */
export function atTaskUnpickle(way: Way): Failure {
  const exit = exitOf(way, 0)
  return {
    submit: (pool, runtime) => pool.applyAsync(runtime.atLoad(way), [42]),
    expectError: exit === null ? remote('UnpicklingError', 'the error message') : lost(exit),
    exit,
    mayHaveSuccessor: true,
  }
}

export function duringRun(way: Way, code = 0): Failure {
  const exit = exitOf(way, code)
  return {
    submit: (pool) => {
      switch (way) {
        case 'crash':
        case 'abort':
          return pool.applyAsync(way)
        case 'exit':
        case 'c_exit':
          return pool.applyAsync(way, [code])
        case 'error':
          return pool.applyAsync('raise_error', ['RuntimeError', 'the error message'])
      }
    },
    expectError: exit === null ? remote('RuntimeError', 'the error message') : lost(exit),
    exit,
    mayHaveSuccessor: true,
  }
}

/** While the worker serializes the result: a getter (Node), a dict of the user's own (Python). */
export function atResultPickle(way: Way, code = 0): Failure {
  const exit = exitOf(way, code)
  return {
    submit: (pool) => pool.applyAsync('bad_at_pickle', way === 'exit' || way === 'c_exit' ? [way, code] : [way]),
    expectError:
      exit === null ? unserializable('result', ({ badResultPath }) => badResultPath, 'Error in pickle') : lost(exit),
    exit,
    mayHaveSuccessor: true,
  }
}

/**
 * While the pool reads the result: values are plain data, so no code runs then. What can be is an answer that cannot be
 * read, after which the worker ends (`exit`) or answers once more (`error`), which no worker does that can be trusted.
 */
export function atResultUnpickle(way: 'exit' | 'error'): Failure {
  return {
    submit: (pool) => {
      const before = pool.applyAsync('identity', [0])
      return pool.applyAsync('unreadable_result', [Number(before.taskIds[0]!.slice(1)) + 1, way])
    },
    expectError: unserializable('result', () => 'result', 'cannot be read'),
    exit: way === 'exit' ? { exitCode: 0, signal: null } : undefined,
    mayHaveSuccessor: false,
  }
}

/**
 * Hands it in among other tasks: it fails as it must, they are done, its worker is replaced when it ended, and only
 * then; and the pool goes on.
 */
export async function expectFailure(
  failure: Failure,
  pool: Pool,
  runtime: Runtime,
  handIn = () => Promise.resolve(failure.submit(pool, runtime)),
): Promise<void> {
  await until(
    () => pool.workers.length === pool.processes && pool.workers.every(({ status }) => status === 'idle'),
    'all workers are idle',
  )
  const before = pool.workers.map(({ pid }) => pid)
  const exitedBefore = pool.exitedWorkerCount
  const others = range(4).map((n) => pool.applyAsync('sqr', [n]))
  const result = await handIn()
  if (failure.mayHaveSuccessor) others.push(...range(4).map((n) => pool.applyAsync('sqr', [n + 4])))

  const error = await rejection(within(result.get(), 'the task that fails'))
  failure.expectError(error, runtime)
  expect(await within(Promise.all(others.map((other) => other.get())), 'the other tasks')).toEqual(
    range(others.length).map((n) => n * n),
  )
  if (failure.exit === null) {
    expect(pool.exitedWorkerCount).toBe(exitedBefore)
    expect(pool.workers.map(({ pid }) => pid)).toEqual(before)
  } else {
    await until(
      () => pool.exitedWorkerCount === exitedBefore + 1 && pool.workers.length === pool.processes,
      'the worker is replaced',
    )
    const ended = pool.exitedWorkers.at(-1)!
    expect(before).toContain(ended.pid)
    expect(pool.workers.map(({ pid }) => pid)).not.toContain(ended.pid)
    if (failure.exit) expect(ended).toMatchObject(failure.exit)
    if (error instanceof WorkerLostError)
      expect({ pid: error.pid, worker: error.worker }).toEqual({ pid: ended.pid, worker: ended.name })
  }
  expect(await within(pool.apply('sqr', [7]), 'a task after it')).toBe(49)
}
