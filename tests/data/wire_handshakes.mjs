// Vectors of the Noise handshakes, with keys that are known.

import { caps, crypto, ed25519, Noise, SecretStream } from '../interop/internals.mjs'
import { fill, hex } from '../interop/reference.mjs'

export const keyPair = (seed) => crypto.keyPair(fill(seed))

export const handshakes = () => [
  handshake({ name: 'XX', pattern: 'XX' }),
  handshake({ name: 'XX-with-prologue-and-payloads', pattern: 'XX', prologue: 'prologue', payloads: ['a', 'bc', 'def'] }),
  handshake({ name: 'IK', pattern: 'IK' }),
  handshake({ name: 'IK-with-prologue-and-payloads', pattern: 'IK', prologue: 'prologue', payloads: ['a', 'bc'] })
]

const seeds = { static: [1, 2], ephemeral: [3, 4] }

function handshake({ name, pattern, prologue = '', payloads = [] }) {
  const sides = [0, 1].map((side) => {
    const noise = new Noise(pattern, side === 0, keyPair(seeds.static[side]), { curve: ed25519 })
    noise.e = keyPair(seeds.ephemeral[side])
    noise.initialise(Buffer.from(prologue), pattern === 'IK' && side === 0 ? keyPair(seeds.static[1]).publicKey : null)
    return noise
  })
  const initialHash = hex(sides[0].digest)
  const messages = []
  for (let turn = 0; !sides[0].complete || !sides[1].complete; turn++) {
    const [sender, receiver] = turn % 2 === 0 ? sides : sides.toReversed()
    const payload = Buffer.from(payloads[turn] ?? '')
    const message = hex(sender.send(payload))
    receiver.recv(Buffer.from(message, 'hex'))
    messages.push({ payload: hex(payload), message, hash: hex(sender.hash ?? sender.digest) })
  }
  const [{ hash, tx, rx }] = sides
  const ids = [true, false].map((isInitiator) => hex(SecretStream.id(hash, isInitiator)))
  return { name, pattern, seeds, prologue: hex(Buffer.from(prologue)), initialHash, messages, tx: hex(tx), rx: hex(rx), ids, ...capabilities(hash) }
}

function capabilities(hash) {
  const coreKey = fill(9)
  return { coreKey: hex(coreKey), capabilities: [true, false].map((isInitiator) => hex(caps.replicate(isInitiator, coreKey, hash))) }
}
