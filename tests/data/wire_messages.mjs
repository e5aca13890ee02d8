// Vectors of the messages of a core's channel, and of the frames that channels pack messages into.

import { setImmediate as soon } from 'node:timers/promises'
import { codecs, Protomux, wire } from '../interop/internals.mjs'
import { bytes, fill, hex } from '../interop/reference.mjs'

const node = (index, size, value) => ({ index, size, hash: fill(value) })
const nothing = { block: null, hash: null, seek: null, upgrade: null, manifest: null }
const sync = (fork, length, remoteLength, flags) => ({
  fork,
  length,
  remoteLength,
  canUpgrade: flags.includes('u'),
  uploading: flags.includes('s'),
  downloading: flags.includes('d'),
  hasManifest: flags.includes('m'),
  allowPush: flags.includes('p')
})
const request = (id, fork, fields) => ({ ...nothing, id, fork, manifest: false, priority: 0, ...fields })
const data = (request, fork, fields) => ({ ...nothing, request, fork, ...fields })
const upgrade = (fields) => ({ start: 0, length: 3, nodes: [node(1, 2, 1)], additionalNodes: [], signature: null, ...fields })

const values = {
  handshake: [
    { seeks: true, capability: fill(1) },
    { seeks: false, capability: fill(2) }
  ],
  sync: [sync(0, 0, 0, 'usd'), sync(1, 253, 65536, 'smp'), sync(300, 2 ** 32, 252, 'usdm'), sync(Number.MAX_SAFE_INTEGER, 65535, 0, '')],
  request: [
    request(1, 0, { upgrade: { start: 0, length: 8 }, manifest: true }),
    request(252, 0, { block: { index: 5, nodes: 3 }, priority: 1 }),
    request(7, 0, { block: { index: 5, nodes: 3 } }),
    request(65536, 300, { block: { index: 2 ** 40, nodes: 0 } }),
    request(253, 2, { hash: { index: 26, nodes: 4 }, seek: { bytes: 100, padding: 8 } }),
    request(65536, 0, { block: { index: 70000, nodes: 0 }, upgrade: { start: 3, length: 5 } }),
    request(2, 0, { manifest: true })
  ],
  cancel: [{ request: 1 }, { request: 300 }],
  data: [
    data(1, 0, { block: { index: 3, value: bytes('616263'), nodes: [node(4, 3, 8), node(1, 70000, 9)] } }),
    data(2, 0, { block: { index: 300, value: Buffer.alloc(0), nodes: [] } }),
    data(65536, 1, { block: { index: 2 ** 33, value: Buffer.alloc(300, 7), nodes: [] } }),
    data(3, 0, { hash: { index: 2, nodes: [node(2, 1, 1), node(0, 2, 2)] } }),
    data(3, 1, { block: { index: 5, value: bytes('00'), nodes: [] }, seek: { bytes: 300, nodes: [node(7, 300, 3)] } }),
    data(4, 0, { upgrade: upgrade({ signature: Buffer.alloc(68, 5) }), manifest: manifest() }),
    data(5, 0, { upgrade: upgrade({ length: 1, additionalNodes: [node(9, 8, 4)] }) })
  ],
  noData: [
    { request: 1, reason: 0 },
    { request: 20, reason: 1 },
    { request: 21, reason: 2 }
  ],
  want: [
    { start: 0, length: 2 ** 21, any: false },
    { start: 100, length: 50, any: true }
  ],
  unwant: [
    { start: 2 ** 21, length: 2 ** 21, any: false },
    { start: 100, length: 50, any: true }
  ],
  bitfield: [
    { start: 0, bitfield: Uint32Array.of(40, 0, 0x80000001) },
    { start: 2 ** 21, bitfield: new Uint32Array(0) }
  ],
  range: [
    { drop: false, start: 0, length: 8 },
    { drop: true, start: 5, length: 5 },
    { drop: false, start: 7, length: 1 },
    { drop: true, start: 1000, length: 1 }
  ],
  extension: [
    { name: 'foo', message: Buffer.from('hello') },
    { name: '', message: Buffer.from('again') },
    { name: 'blåbær', message: Buffer.alloc(0) }
  ]
}

function manifest() {
  const signer = { signature: 'ed25519', namespace: fill(4), publicKey: fill(7) }
  return { version: 1, hash: 'blake2b', allowPatch: false, quorum: 1, signers: [signer], prologue: null, linked: null, userData: null }
}

export function messages() {
  return Object.entries(values).flatMap(([kind, all]) =>
    all.map((value) => ({ kind, value: readable(value), bytes: hex(codecs.encode(wire[kind], value)) }))
  )
}

/** The value with its byte strings in hex. */
function readable(value) {
  if (value instanceof Uint32Array) return [...value]
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map(readable)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, readable(each)]))
}

// --- frames -------------------------------------------------------------------------------------------------

const id = hex(fill(3))
const open = (protocol, id = null, handshake = '') => ({ open: { protocol, id, handshake } })
const send = (channel, type, payload) => ({ send: { channel, type, payload } })
const close = (channel) => ({ close: channel })
const receive = (frame, accepts = []) => ({ receive: frame, accepts })
const opening = (number, protocol) => `0001${byte(number)}${byte(protocol.length)}${hex(Buffer.from(protocol))}00`
const byte = (value) => hex(Buffer.from([value]))
/** One frame with several control messages. */
const together = (...frames) => `000000${frames.map((frame) => byte(frame.length / 2 - 1) + frame.slice(2)).join('')}`

// A step is what is done together: several messages leave in one frame.
const histories = {
  'messages-alone-and-in-batches': [
    [open('hypercore/alpha', id, '01' + hex(fill(4)))],
    [open('p')],
    [send(0, 0, '6161')],
    [send(0, 1, '6262')],
    [send(0, 0, '6161'), send(0, 1, '626262'), send(1, 0, '63'), send(0, 0, '64')],
    [open('q'), send(2, 2, '65')],
    [send(0, 3, '00'.repeat(300)), send(0, 3, '')],
    [close(1)]
  ],
  'opens-of-the-other-side': [
    [receive(opening(1, 'a'), ['a'])],
    [receive(opening(2, 'b'))],
    [receive(opening(2, 'a'))],
    [receive(together(opening(2, 'cde'), opening(3, 'f')), ['cde', 'f'])],
    [receive('000301')],
    [open('g')]
  ],
  'numbers-are-used-again': [
    [open('a'), open('b'), open('c')],
    [receive('000202')],
    [open('d')],
    [receive(opening(1, 'a'))],
    [close(0), open('e')],
    [close(2), open('f')],
    [receive('000203')],
    [open('g')]
  ],
  'closed-before-the-answer': [
    [open('a'), close(0), open('a'), send(1, 0, '61')],
    [receive(opening(1, 'a'))],
    [receive(opening(1, 'a'))],
    [send(1, 0, '62')],
    [close(1)]
  ]
}

export async function channelFrames() {
  const recorded = []
  for (const [name, steps] of Object.entries(histories)) {
    const side = new Side()
    const rows = []
    for (const step of steps) rows.push({ step, frames: await side.take(step) })
    recorded.push({ name, steps: rows })
  }
  return recorded
}

/** A Protomux on a stream that only remembers what is written to it. */
class Side {
  constructor() {
    this.written = []
    this.channels = []
    this.accepted = new Set()
    this.handlers = {}
    const stream = { userData: null, destroyed: false, on: (name, handler) => (this.handlers[name] = handler) }
    this.mux = new Protomux({ ...stream, write: (frame) => this.written.push(hex(frame)) > 0, destroy: fail })
  }

  async take(step) {
    this.written = []
    if (step.length > 1) this.mux.cork()
    for (const operation of step) await this.apply(operation)
    if (step.length > 1) this.mux.uncork()
    return this.written
  }

  async apply({ open, send, close, receive, accepts }) {
    if (open) this.open(open.protocol, open.id, open.handshake)
    if (send) this.channels[send.channel].messages[send.type].send(bytes(send.payload))
    if (close !== undefined) this.channels[close].close()
    if (receive) await this.receive(receive, accepts)
  }

  async receive(frame, accepts) {
    for (const protocol of accepts) this.mux.pair({ protocol }, () => this.open(protocol, null, ''))
    this.handlers.data(bytes(frame))
    await soon()
  }

  open(protocol, id, handshake) {
    const raw = Array.from({ length: 4 }, () => ({ encoding: codecs.raw }))
    const channel = this.mux.createChannel({ protocol, id: bytes(id), handshake: codecs.raw, messages: raw })
    if (channel === null) return // it is open already
    channel.open(bytes(handshake))
    this.channels.push(channel)
  }
}

function fail(error) {
  throw error
}
