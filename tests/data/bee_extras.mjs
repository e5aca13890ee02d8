// Vectors beside the histories: clearing of unlinked blocks, messages between peers, the encoder of key prefixes.

import { Extension, SubEncoder } from '../interop/internals.mjs'
import { bytes, hex, Hyperbee } from '../interop/reference.mjs'

export async function clearUnlinked(store) {
  const core = store.get({ name: 'clear-unlinked' })
  const bee = new Hyperbee(core, { keyEncoding: 'utf-8', valueEncoding: 'utf-8' })
  const key = (number) => `k${String(number).padStart(2, '0')}`
  for (let i = 0; i < 40; i++) await bee.put(key(i % 13), `v${i}`)
  for (let i = 0; i < 6; i++) await bee.del(key(i))
  const returned = await bee.clearUnlinked()
  const localBlocks = []
  for (let index = 0; index < core.length; index++) if (await core.has(index)) localBlocks.push(index)
  const about = 'for i in 0..39 put k%02d(i % 13) = v<i>; for i in 0..5 del k%02d(i); clearUnlinked()'
  return [{ about, returned, length: core.length, localBlocks }]
}

export function extensionMessages() {
  const none = { gte: null, gt: null, lte: null, lt: null }
  const messages = [
    { get: { version: 5, key: '616263' } },
    { iterator: { version: 300, ...none, gte: '61', lt: '7a', limit: 0, reverse: false, checkpoint: [] } },
    { iterator: { version: 300, ...none, gt: '61', limit: 10, reverse: true, checkpoint: [299, 0, 3, 150, 2, 5] } },
    { cache: { blocks: [5, 3, 200], start: 3, end: 201 } }
  ]
  return messages.map((message) => ({ message, hex: hex(Extension.encode(withBytes(message))) }))
}

function withBytes(message) {
  const field = ([name, value]) => [name, typeof value === 'string' ? bytes(value) : value]
  return Object.fromEntries(Object.entries(message).map(([kind, fields]) => [kind, Object.fromEntries(Object.entries(fields).map(field))]))
}

export function subEncoders() {
  const encoders = {
    "new SubEncoder(undefined, 'utf-8')": new SubEncoder(undefined, 'utf-8'),
    "new SubEncoder('files', 'utf-8')": new SubEncoder('files', 'utf-8'),
    "new SubEncoder().sub('a', 'utf-8')": new SubEncoder().sub('a', 'utf-8'),
    "new SubEncoder().sub('a').sub('b', 'utf-8')": new SubEncoder().sub('a').sub('b', 'utf-8'),
    "new SubEncoder('a', 'utf-8').sub('', 'utf-8')": new SubEncoder('a', 'utf-8').sub('', 'utf-8')
  }
  const texts = ['', 'a', 'hello/world', 'ключ']
  const ranges = [{}, { gt: 'a' }, { gte: 'a' }, { lt: 'b' }, { lte: 'b' }, { gt: 'a', lt: 'b' }, { gte: 'a', lte: 'c' }, { gt: 'a', gte: 'b' }]
  return Object.entries(encoders).map(([desc, encoder]) => ({
    desc,
    prefix: hex(encoder.prefix),
    encode: Object.fromEntries(texts.map((text) => [text, hex(encoder.encode(text))])),
    ranges: ranges.map((range) => ({ range, encoded: shown(encoder.encodeRange({ ...range })) }))
  }))
}

function shown(range) {
  const given = Object.entries(range).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(given.map(([name, value]) => [name, hex(value)]))
}
