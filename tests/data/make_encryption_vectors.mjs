// Writes encryption.json: derived keys, encrypted blocks and encrypted cores as the JavaScript packages make them.
//
//     cd tests/interop && npm ci && node ../data/make_encryption_vectors.mjs

import { keyPair } from './core_formats.mjs'
import { madeWith, writeVectors } from './json_file.mjs'
import { Hypercore } from '../interop/internals.mjs'
import { bytes, describeCore, fill, hex, withStore } from '../interop/reference.mjs'

const { DefaultEncryption } = Hypercore
const { PADDING } = DefaultEncryption

const blocks = [
  { index: 0, fork: 0, plain: hex(Buffer.from('hello')) },
  { index: 1, fork: 0, plain: '' },
  { index: 1, fork: 2, plain: hex(Buffer.from('hello')) },
  { index: 70000, fork: 0, plain: '7a'.repeat(100) },
  { index: 2 ** 40, fork: 2 ** 33, plain: 'ab'.repeat(1000) }
]

function encryptions() {
  const keys = [
    [fill(1), fill(20)],
    [keyPair(1).publicKey, fill(21)]
  ]
  const kinds = [false, true].flatMap((compat) => [false, true].map((block) => ({ compat, block })))
  return keys.flatMap(([coreKey, encryptionKey]) => kinds.map((kind) => encryption(coreKey, encryptionKey, kind)))
}

function encryption(coreKey, encryptionKey, kind) {
  const provider = new DefaultEncryption(encryptionKey, coreKey, kind)
  return {
    coreKey: hex(coreKey),
    encryptionKey: hex(encryptionKey),
    ...kind,
    blockKey: hex(provider.blockKey),
    blindingKey: hex(provider.blindingKey),
    blocks: blocks.map((block) => ({ ...block, encrypted: hex(encrypted(provider, kind, block)) }))
  }
}

function encrypted(provider, { compat }, { index, fork, plain }) {
  const stored = Buffer.concat([Buffer.alloc(PADDING), bytes(plain)])
  provider.encrypt(index, stored, fork, { compat })
  return stored
}

function blockEncryptionKey() {
  const [coreKey, encryptionKey] = [fill(1), fill(20)]
  return {
    coreKey: hex(coreKey),
    encryptionKey: hex(encryptionKey),
    blockKey: hex(Hypercore.blockEncryptionKey(coreKey, encryptionKey))
  }
}

const texts = ['hello', '', 'world!']
const encryptionKey = fill(20)

function encryptedCores() {
  return withStore(async (store) => [
    await lifeOfCore('manifest', store.get({ name: 'enc', encryptionKey })),
    await lifeOfCore('compat', store.get({ key: keyPair(1).publicKey, keyPair: keyPair(1), encryptionKey }))
  ])
}

async function lifeOfCore(name, core) {
  await core.ready()
  await core.append(texts)
  const { signature, treeHash } = await describeCore(core)
  const seek = []
  for (const offset of [0, 5, 6, 7]) seek.push([offset, await core.seek(offset)])
  const life = {
    name,
    key: hex(core.key),
    encryptionKey: hex(encryptionKey),
    compat: core.core.compat,
    padding: core.padding,
    blocks: texts.map((text) => hex(Buffer.from(text))),
    stored: await storedBlocks(core),
    getDecryptFalse: hex(await core.get(0, { decrypt: false })),
    byteLength: core.byteLength,
    stateByteLength: core.core.state.byteLength,
    seek,
    treeHash,
    signature
  }
  await core.truncate(2)
  await core.append('again')
  life.afterTruncate = {
    fork: core.fork,
    blocks: [...life.blocks.slice(0, 2), hex(Buffer.from('again'))],
    stored: await storedBlocks(core),
    signature: (await describeCore(core)).signature
  }
  return life
}

async function storedBlocks(core) {
  const stored = []
  const reader = core.core.storage.read()
  for (let index = 0; index < core.length; index++) stored.push(reader.getBlock(index))
  reader.tryFlush()
  return (await Promise.all(stored)).map(hex)
}

writeVectors('encryption.json', {
  madeWith: madeWith(),
  encryption: encryptions(),
  blockEncryptionKey: blockEncryptionKey(),
  encryptedCores: await encryptedCores()
})
