// Pairs of secret streams with known keys that are joined in memory, and what they write.

import { Duplex } from 'node:stream'
import { setImmediate as soon } from 'node:timers/promises'
import { SecretStream, sodium } from '../interop/internals.mjs'
import { bytes, hex } from '../interop/reference.mjs'
import { keyPair } from './wire_handshakes.mjs'

export const keys = { static: [1, 2], ephemeral: [3, 4], header: [0xa1, 0xb2] }

/** Make two streams, the first one initiator; what they write is added to frames.a and frames.b. */
export function joined(frames) {
  const wires = [new Wire(frames.a), new Wire(frames.b)]
  wires[0].other = wires[1]
  wires[1].other = wires[0]
  return wires.map((wire, side) => secretStream(wire, side))
}

function secretStream(wire, side) {
  const stream = new SecretStream(side === 0, wire, { keyPair: keyPair(keys.static[side]) })
  stream._handshake.noise.e = keyPair(keys.ephemeral[side])
  const setUp = stream._setupSecretStream.bind(stream)
  stream._setupSecretStream = (...handshake) => {
    useHeader(Buffer.alloc(24, keys.header[side]))
    setUp(...handshake)
  }
  return stream
}

/** Let the stream that is set up next begin with this header; to start from a header leaves the same state. */
function useHeader(header) {
  sodium.crypto_secretstream_xchacha20poly1305_init_push = (state, out, key) => {
    out.set(header)
    sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
  }
}

/** One end of a pair of streams; what is written to it arrives at the other end, but not at once. */
class Wire extends Duplex {
  constructor(frames) {
    super()
    this.frames = frames
  }

  _write(data, _, done) {
    this.frames.push(hex(data))
    setImmediate(() => this.other.push(Buffer.from(data)))
    done()
  }

  _final(done) {
    setImmediate(() => this.other.push(null))
    done()
  }

  _read() {}
}

const plaintexts = ['68656c6c6f', '', '61'.repeat(300), '00']

/** Both sides write the same plaintexts; an empty one says only that a side is alive. */
export async function streamFrames() {
  const frames = { a: [], b: [] }
  const streams = joined(frames)
  await Promise.all(streams.map(({ opened }) => opened))
  for (const plaintext of plaintexts) for (const stream of streams) stream.write(bytes(plaintext))
  while (frames.a.length + frames.b.length < 5 + 2 * plaintexts.length) await soon()
  return { keys, plaintexts, frames }
}
