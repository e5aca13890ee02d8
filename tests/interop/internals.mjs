// Parts of the JavaScript packages below their public interface, for tests and vector generators.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export const { Extension } = require('hyperbee/lib/messages')
export const caps = require('hypercore/lib/caps')
export const codecs = require('compact-encoding')
export const crypto = require('hypercore-crypto')
export const Hypercore = require('hypercore')
export const ed25519 = require('noise-curve-ed')
export const ids = require('hypercore-id-encoding')
export const indexEncoder = require('index-encoder')
export const OldCorestore = require('corestore6')
export const OldHyperdrive = require('hyperdrive-11')
export const Noise = require('noise-handshake')
export const Protomux = require('protomux')
export const SecretStream = require('@hyperswarm/secret-stream')
export const sodium = require('sodium-universal')
export const resolvePath = require('unix-path-resolve')
export const SubEncoder = require('sub-encoder')
export const Verifier = require('hypercore/lib/verifier')
export const { MerkleTree, MerkleTreeBatch, ReorgBatch } = require('hypercore/lib/merkle-tree')
export const { manifest: manifestCodec, wire } = require('hypercore/lib/messages')
export const multisig = require('hypercore/lib/multisig')
export const storedManifestCodec = require('hypercore-storage/encoding/spec/hyperschema').getEncoding('@core/manifest')
