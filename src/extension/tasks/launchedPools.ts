import type { Memento } from 'vscode'

const key = 'unhang.launchedPools'
/** Old ids name nothing any more; they are kept only because nobody tells us when a pool was removed. */
const mostRemembered = 200

/** Pools that this window launched, remembered over a reload: `onWindowClose: terminate` ends these and no others. */
export class LaunchedPools {
  readonly #memento: Memento

  constructor(memento: Memento) {
    this.#memento = memento
  }

  has(poolId: string): boolean {
    return this.#ids.includes(poolId)
  }

  add(poolId: string): void {
    void this.#memento.update(key, [...this.#ids, poolId].slice(-mostRemembered))
  }

  get #ids(): readonly string[] {
    return this.#memento.get<readonly string[]>(key, [])
  }
}
