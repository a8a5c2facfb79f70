import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { detectPlatform, metadataWatcher } from '../../../src/shutdown'
import { MetadataServer, type Behaviour } from './metadataServer'

let server: MetadataServer
let stop: (() => void) | undefined
beforeEach(async () => {
  server = await MetadataServer.start()
})
afterEach(async () => {
  stop?.()
  stop = undefined
  await server.close()
})

/** Watches, asking often. */
const watch = (timing: { intervalMs?: number; timeoutMs?: number } = { intervalMs: 20, timeoutMs: 200 }) => {
  const notices: string[] = []
  const problems: string[] = []
  stop = metadataWatcher({ env: { GCE_METADATA_IP: server.host }, ...timing }).watch({
    notice: (source) => {
      notices.push(source)
    },
    problem: (error) => {
      problems.push(error.message)
    },
  })
  return { notices, problems }
}
const until = (condition: () => void) => vi.waitFor(condition, { timeout: 15_000, interval: 10 })

describe('the metadata watcher', () => {
  test('asks again and again, with the header, until the machine is going to be stopped', async () => {
    const { notices, problems } = watch()
    await until(() => {
      expect(server.polls).toBeGreaterThan(3)
    })
    expect(notices).toEqual([])
    server.behaviour = 'TERMINATE_ON_HOST_MAINTENANCE'
    await until(() => {
      expect(notices).toEqual([`metadata server ${server.host}`])
    })
    const { polls } = server
    await new Promise((done) => {
      setTimeout(done, 100)
    })
    // One notice is enough: it has stopped asking.
    expect(server.polls).toBe(polls)
    expect([problems, server.refused]).toEqual([[], 0])
  })

  test('asks every second by default', async () => {
    const start = performance.now()
    watch({})
    await until(() => {
      expect(server.polls).toBe(3)
    })
    expect(performance.now() - start).toBeGreaterThan(1900)
  })

  test.each<[Behaviour, RegExp]>([
    ['hang', /did not answer within 200 ms/],
    ['garbage', /did not answer http:.*maintenance-event: /],
    ['endless', /sent more than 65536 bytes/],
    ['error', /status 503/],
  ])('goes on after a server that answers with: %s', async (behaviour, problem) => {
    server.behaviour = behaviour
    const { notices, problems } = watch()
    await until(() => {
      expect(server.polls).toBeGreaterThan(2)
    })
    // The same trouble is told once, and not every second.
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(notices).toEqual([])
    server.behaviour = 'TERMINATE_ON_HOST_MAINTENANCE'
    await until(() => {
      expect(notices).toHaveLength(1)
    })
  })

  test('goes on after a server that was gone', async () => {
    await server.close()
    const { notices, problems } = watch()
    await until(() => {
      expect(problems).toEqual([expect.stringMatching(/ECONNREFUSED/)])
    })
    await server.listen()
    server.behaviour = 'TERMINATE_ON_HOST_MAINTENANCE'
    await until(() => {
      expect(notices).toHaveLength(1)
    })
  })

  test('stops at once, also while the server hangs', async () => {
    server.behaviour = 'hang'
    const { notices, problems } = watch({ intervalMs: 20, timeoutMs: 60_000 })
    await until(() => {
      expect(server.polls).toBe(1)
    })
    stop?.()
    // The request is let go of: closing the server need not wait for it.
    await server.close()
    expect([notices, problems]).toEqual([[], []])
  })

  test('says what is wrong with an address that makes no sense', async () => {
    const problems: string[] = []
    stop = metadataWatcher({ env: { GCE_METADATA_IP: 'not a host' } }).watch({
      notice: () => undefined,
      problem: (error) => {
        problems.push(error.message)
      },
    })
    await until(() => {
      expect(problems).toEqual([expect.stringMatching(/look at GCE_METADATA_IP/)])
    })
  })
})

describe('detection', () => {
  const elsewhere = { productName: () => 'Standard PC', hasGpu: () => false }

  test.each([
    [true, 'gcp-gpu'],
    [false, 'gcp-cpu'],
  ] as const)('asks the metadata server, and looks for a GPU: %s', async (hasGpu, platform) => {
    expect(
      await detectPlatform({ env: { GCE_METADATA_HOST: server.host }, productName: () => null, hasGpu: () => hasGpu }),
    ).toBe(platform)
    expect(server.refused).toBe(0)
  })

  test("TensorFlow's GCE_METADATA_IP goes before GCE_METADATA_HOST", async () => {
    expect(
      await detectPlatform({ ...elsewhere, env: { GCE_METADATA_IP: server.host, GCE_METADATA_HOST: '127.0.0.1:1' } }),
    ).toBe('gcp-cpu')
  })

  test('gives up soon on a server that hangs', async () => {
    server.behaviour = 'hang'
    const start = performance.now()
    expect(await detectPlatform({ ...elsewhere, env: { GCE_METADATA_IP: server.host }, timeoutMs: 100 })).toBe('other')
    expect(performance.now() - start).toBeLessThan(5000)
  })

  test('takes nothing for a metadata server that does not say it is one', async () => {
    const { createServer } = await import('node:http')
    const portal = createServer((_, response) => {
      response.end('Please log in')
    })
    await new Promise<void>((done) => {
      portal.listen(0, '127.0.0.1', done)
    })
    const { port } = portal.address() as { port: number }
    try {
      expect(await detectPlatform({ ...elsewhere, env: { GCE_METADATA_IP: `127.0.0.1:${port}` } })).toBe('other')
    } finally {
      portal.closeAllConnections()
      await new Promise((done) => {
        portal.close(done)
      })
    }
  })

  test("does not ask the network on a machine that says it is none of Google's", async () => {
    const start = performance.now()
    expect(await detectPlatform({ ...elsewhere, env: {}, timeoutMs: 60_000 })).toBe('other')
    expect(performance.now() - start).toBeLessThan(1000)
  })

  test('is over in time where the name of the server leads nowhere', async () => {
    expect(
      await detectPlatform({ env: { GCE_METADATA_HOST: 'no-such-host.invalid' }, timeoutMs: 300, hasGpu: () => true }),
    ).toBe('other')
  })
})
