// Writes drive.json: histories of Hyperdrives, the blocks the JavaScript packages make of them, and what they read from those.
//
//     cd tests/interop && npm ci && node ../data/make_drive_vectors.mjs

import { cases, paths, resolutions } from './drive_cases.mjs'
import { madeWith, writeVectors } from './json_file.mjs'
import { answer, apply, blocksOf, dataOf, describeDrive, show } from '../interop/drive_operations.mjs'
import { OldCorestore, OldHyperdrive, resolvePath, Verifier } from '../interop/internals.mjs'
import { bytes, Corestore, hex, Hyperblobs, Hyperdrive, withDirectory, withStore } from '../interop/reference.mjs'

const recorded = []
for (const each of cases) recorded.push(await withDirectory((directory) => record(directory, each)))
writeVectors('drive.json', {
  madeWith: madeWith(),
  cases: recorded,
  normalizePath: await Promise.all(paths.map((path) => attempt({ path }, () => Hyperdrive.normalizePath(path)))),
  resolve: await Promise.all(resolutions.map(([a, b]) => attempt({ a, b }, () => resolvePath(a, b)))),
  contentKey: contentKeys(),
  hyperblobs: await hyperblobs()
})

async function record(directory, { name, about, old, primaryKey, namespace, encryptionKey, operations, questions }) {
  const [Store, Drive] = old ? [OldCorestore, OldHyperdrive] : [Corestore, Hyperdrive]
  const root = new Store(directory, { primaryKey: bytes(primaryKey), unsafe: true, ...old })
  await root.ready()
  const store = namespace ? root.namespace(namespace) : root
  const drive = new Drive(store, encryptionKey ? { encryptionKey: bytes(encryptionKey) } : {})
  await drive.ready()
  const blobs = (await drive.getBlobs()).core
  const results = []
  for (const operation of operations) {
    const { error } = await attempt({}, () => apply(drive, operation))
    const state = { db: drive.core.length, blobs: blobs.length, blobBytes: blobs.byteLength }
    results.push(error ? { error, ...state } : state)
  }
  const queries = []
  for (const question of questions) queries.push(await attempt(question, () => answer(drive, question)))
  const written = await describeDrive(drive)
  if (encryptionKey) written.rawBlocks = [await rawBlocks(root, drive.core), await rawBlocks(root, blobs)]
  const keys = { db: hex(drive.key), blobs: hex(blobs.key) }
  await drive.close()
  await root.close()
  return { name, about, old, primaryKey, namespace, encryptionKey, keys, ops: operations, results, ...written, queries }
}

async function rawBlocks(store, { key }) {
  const core = store.get({ key })
  await core.ready()
  return blocksOf(core, show, { raw: true })
}

async function attempt(question, run) {
  try {
    return { ...question, result: await run() }
  } catch (error) {
    return { ...question, error: error.message }
  }
}

function contentKeys() {
  const signer = (value) => ({ signature: 'ed25519', namespace: Buffer.alloc(32, value + 10), publicKey: Buffer.alloc(32, value) })
  const manifests = [
    { version: 1, signers: [signer(1)] },
    { version: 2, signers: [signer(1)] },
    { version: 1, quorum: 2, allowPatch: true, signers: [signer(1), signer(2), signer(3)] }
  ]
  return manifests.map(Verifier.createManifest).map((manifest) => {
    const key = Verifier.manifestHash(manifest)
    const content = Hyperdrive.getContentManifest(manifest, key)
    return {
      manifest: hex(Verifier.encodeManifest(manifest)),
      key: hex(key),
      contentManifest: hex(Verifier.encodeManifest(content)),
      contentKey: hex(Hyperdrive.getContentKey(manifest, key))
    }
  })
}

/** Blobs of small blocks, the JSON of their ids, and ranges of the fourth one. */
function hyperblobs() {
  return withStore(async (store) => {
    const core = store.get({ name: 'blobs' })
    await core.ready()
    const blobs = new Hyperblobs(core, { blockSize: 10 })
    const given = [[{ gen: [10, 1, 48] }], [{ gen: [11, 1, 48] }], [{ hex: '' }], [{ gen: [95, 7, 3] }], [{ gen: [25, 7, 3] }, 4]]
    const puts = []
    for (const [data, blockSize] of given) {
      puts.push({ data, blockSize, idJson: JSON.stringify(await blobs.put(dataOf(data), { blockSize })), length: core.length })
    }
    const ranges = [[0], [5], [10], [5, 3], [5, 20], [0, 0], [0, 95], [95], [94], [3, 0], [30, 30]]
    const gets = []
    for (const [start, length] of ranges) {
      gets.push({ start, length, result: hex(await blobs.get(JSON.parse(puts[3].idJson), { start, length })) })
    }
    const batch = blobs.batch()
    const batchIds = []
    for (const text of ['batched blob one', 'b2', '']) batchIds.push(await batch.put(Buffer.from(text)))
    await batch.flush()
    return { puts, gets, batchIds, blocks: await blocksOf(core, hex) }
  })
}
