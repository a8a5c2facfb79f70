import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Temporary folders not removed yet: a process that ends without dispose() leaves none behind. */
const temporaryFolders = new Set<string>()
process.on('exit', () => {
  for (const folder of temporaryFolders) removeFolder(folder)
})

/** Where the output of a pool's tasks goes; made when the first task prints something. */
export class OutputFolder {
  readonly #configured: string | undefined
  #path: string | undefined

  constructor(configured: string | undefined) {
    this.#configured = configured
  }

  /** Path of one task's file. Makes the folder, for its owner only: output may hold what others must not read. */
  file(name: string): string {
    return join(this.#make(), name)
  }

  /** Removes a temporary folder with all files; a folder that was asked for by name stays. */
  dispose(): void {
    if (this.#configured !== undefined || this.#path === undefined) return
    temporaryFolders.delete(this.#path)
    removeFolder(this.#path)
    this.#path = undefined
  }

  #make(): string {
    if (this.#path !== undefined) return this.#path
    if (this.#configured === undefined) {
      this.#path = mkdtempSync(join(tmpdir(), 'unhang-output-'))
      temporaryFolders.add(this.#path)
    } else {
      makeFolder(this.#configured)
      this.#path = this.#configured
    }
    return this.#path
  }
}

/**
 * Not mkdir's `recursive`: where the system answers ENOENT although the parent exists (/proc), Node 20 tries for ever.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) makeFolder(parent)
  mkdirSync(path, { mode: 0o700 })
}

function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // At process exit, or on a file system that refuses: nothing else can be done, and the system clears its temp
    // folder.
  }
}
