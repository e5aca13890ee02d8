// Writes wire.json: handshakes, encrypted frames, messages, frames of channels, and whole conversations of two peers.
//
//     cd tests/interop && npm ci && node ../data/make_wire_vectors.mjs

import { madeWith, writeVectors } from './json_file.mjs'
import { handshakes } from './wire_handshakes.mjs'
import { channelFrames, messages } from './wire_messages.mjs'
import { sessions } from './wire_sessions.mjs'
import { streamFrames } from './wire_streams.mjs'

const packages = [
  '@hyperswarm/secret-stream',
  'corestore',
  'hypercore',
  'noise-curve-ed',
  'noise-handshake',
  'protomux',
  'sodium-secretstream'
]

writeVectors('wire.json', {
  madeWith: madeWith(packages),
  noise: handshakes(),
  secretStream: await streamFrames(),
  messages: messages(),
  protomux: await channelFrames(),
  sessions: await sessions()
})
