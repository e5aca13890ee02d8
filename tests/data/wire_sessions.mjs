// Whole conversations of two peers with known keys: every frame that each of them writes, in the order of its writing.

import { setTimeout as sleep } from 'node:timers/promises'
import { fill, openStore, withDirectory } from '../interop/reference.mjs'
import { joined, keys } from './wire_streams.mjs'

const texts = (first, end) => Array.from({ length: end - first }, (_, i) => `block ${first + i}`)

const conversations = {
  'blocks-then-a-live-append': async ({ a, b, connect }) => {
    await a.core.append(texts(0, 5))
    await connect()
    for (const index of [0, 4, 1, 3, 2]) await b.core.get(index)
    await a.core.append(texts(5, 7))
    await b.core.get(6)
  },
  'a-core-with-holes': async ({ a, b, connect }) => {
    await a.core.append(texts(0, 12))
    await a.core.clear(1, 3)
    await connect()
    await b.core.get(5)
    await b.core.get(8)
  },
  'a-seek': async ({ a, b, connect }) => {
    await a.core.append(texts(0, 16))
    await connect()
    await b.core.seek(60)
  },
  'a-truncation': async ({ a, b, connect }) => {
    await a.core.append(texts(0, 4))
    await connect()
    await b.core.get(3)
    await a.core.truncate(2)
    await a.core.append(['other', 'blocks'])
    while (b.core.fork !== 1 || b.core.length !== 4) await sleep(1)
  },
  'an-extension': async ({ a, b, connect }) => {
    await a.core.append(texts(0, 1))
    const heard = new Promise((resolve) => a.core.registerExtension('greeting', { encoding: 'utf-8', onmessage: resolve }))
    await connect()
    await b.core.get(0)
    b.core.registerExtension('greeting', { encoding: 'utf-8' }).broadcast('hello')
    await heard
  },
  'several-cores': async ({ a, b, connect }) => {
    await a.core.append(texts(0, 2))
    const second = a.store.get({ name: 'second' })
    await second.append(texts(0, 1))
    await connect()
    await b.core.get(1)
    const copy = b.store.get({ key: second.key })
    await copy.ready()
    await sleep(100)
    await copy.get(0)
    await b.store.get({ key: fill(7) }).ready()
  }
}

export async function sessions() {
  Math.random = () => 0 // what is asked for first is picked at random
  const recorded = []
  for (const [name, talk] of Object.entries(conversations)) recorded.push({ name, keys, frames: await record(talk) })
  return recorded
}

/** Let two peers talk, a as initiator, and return what each of them writes. */
function record(talk) {
  return withDirectory((first) =>
    withDirectory(async (second) => {
      const [a, b] = [{ store: await openStore(first) }, { store: await openStore(second, { primaryKey: fill(2) }) }]
      a.core = a.store.get({ name: 'core' })
      await a.core.ready()
      b.core = b.store.get({ key: a.core.key })
      await b.core.ready()
      const frames = { a: [], b: [] }
      await talk({ a, b, connect: () => join(a.store, b.store, frames) })
      await sleep(100)
      const complete = structuredClone(frames)
      await Promise.all([a.store.close(), b.store.close()])
      return complete
    })
  )
}

async function join(a, b, frames) {
  const streams = joined(frames)
  for (const [side, store] of [a, b].entries()) store.replicate(streams[side], { keepAlive: false })
  await Promise.all(streams.map(({ opened }) => opened))
  await sleep(100) // what they say first comes in an order of its own
}
