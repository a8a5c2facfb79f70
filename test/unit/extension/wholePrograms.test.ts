import { expect, test } from 'vitest'
import { endingScope } from '../../../src/extension/commands/wholePrograms'
import { PoolCatalog } from '../../../src/extension/model/poolCatalog'
import { PoolStore } from '../../../src/extension/model/poolStore'
import { full, pool, programPool, watchedPool } from './samples'

function scopeOf(...ids: string[]) {
  const store = new PoolStore()
  store.apply(full([pool(), programPool(), watchedPool(), watchedPool({ id: 'watched-2', name: 'train.py:50' })]))
  const catalog = new PoolCatalog()
  catalog.addStore(store, 'folder')
  const { pools, inner } = endingScope(
    ids.map((id) => catalog.pool(id)!),
    catalog,
  )
  return {
    pools: pools.map(({ header }) => header.id),
    inner: inner.map(({ pool: { header }, program }) => [header.id, program.header.id]),
  }
}

test('A pool inside a program stands for its program, which is worth a question', () => {
  expect(scopeOf('pool-1', 'watched-1', 'watched-2')).toEqual({
    pools: ['pool-1', 'program-1'],
    inner: [
      ['watched-1', 'program-1'],
      ['watched-2', 'program-1'],
    ],
  })
})

test('A program that was chosen itself ends once, and so do its pools', () => {
  expect(scopeOf('watched-1', 'program-1')).toEqual({ pools: ['program-1'], inner: [] })
  expect(scopeOf('pool-1')).toEqual({ pools: ['pool-1'], inner: [] })
})
