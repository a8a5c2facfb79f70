import { expect, test } from 'vitest'
import { PoolCatalog } from '../../../src/extension/model/poolCatalog'
import { PoolStore } from '../../../src/extension/model/poolStore'
import { full, pool } from './samples'

function storeWith(id: string): PoolStore {
  const store = new PoolStore()
  store.apply(full([pool({ id })]))
  return store
}

test('A pool’s folder is named only while there are several that it could be', () => {
  const catalog = new PoolCatalog()
  catalog.addStore(storeWith('pool-1'), 'frontend')
  expect(catalog.folderOf('pool-1')).toBeUndefined()
  const second = catalog.addStore(storeWith('pool-2'), 'backend')
  expect([catalog.folderOf('pool-1'), catalog.folderOf('pool-2'), catalog.folderOf('pool-3')]).toEqual([
    'frontend',
    'backend',
    undefined,
  ])
  second.dispose()
  expect(catalog.folderOf('pool-1')).toBeUndefined()
  catalog.dispose()
})
