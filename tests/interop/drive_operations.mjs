// Operations on a Hyperdrive, and questions to one, written down as JSON. tests/data/README.md explains the fields.

import { createHash } from 'node:crypto'
import { bytes, hex } from './reference.mjs'

const LONG = 512

/** Bytes in hex; long ones only as their hash. */
export function show(data) {
  if (data === null || data.length <= LONG) return hex(data)
  return { sha256: createHash('sha256').update(data).digest('hex'), length: data.length }
}

/** {hex} or {gen: [length, a, b]}: byte i is (a i + b) mod 256. */
export function dataOf({ hex: text, gen }) {
  if (text !== undefined) return bytes(text)
  const [length, a, b] = gen
  return Buffer.from(Array.from({ length }, (_, i) => (a * i + b) % 256))
}

/** Apply one operation; `drive` is a drive or a batch of it. */
export async function apply(drive, operation) {
  const { op, path, executable, metadata } = operation
  const options = { executable, metadata }
  switch (op) {
    case 'put':
      return drive.put(path, dataOf(operation.data), options)
    case 'symlink':
      return drive.symlink(path, operation.link, { metadata })
    case 'del':
      return drive.del(path)
    case 'putEntry':
      return drive.putEntry(path, operation.entry)
    case 'truncate':
      return drive.truncate(operation.version)
    case 'write':
      return write(drive.createWriteStream(path, { ...options, dedup: operation.dedup }), operation.chunks)
    case 'batch':
      return applyBatch(drive, operation)
    default:
      throw new Error(`unknown operation ${op}`)
  }
}

function write(stream, chunks) {
  return new Promise((resolve, reject) => {
    stream.on('error', reject).on('close', resolve)
    for (const chunk of chunks) stream.write(dataOf(chunk))
    stream.end()
  })
}

async function applyBatch(drive, { ops, end = 'flush' }) {
  const batch = drive.batch()
  for (const operation of ops) await apply(batch, operation)
  await batch[end]()
}

/** Answer one question about the files; with `version` as of that version of the drive. */
export async function answer(drive, query) {
  const view = query.version === undefined ? drive : drive.checkout(query.version)
  const { path, folder, opts } = query
  switch (query.q) {
    case 'version':
      return view.version
    case 'blobsLength':
      return view.getBlobsLength(query.at)
    case 'get':
      return show(await view.get(path, opts))
    case 'entry':
      return entry(await view.entry(path, opts))
    case 'exists':
      return view.exists(path)
    case 'list':
      return collect(view.list(folder, opts), seqAndKey)
    case 'readdir':
      return collect(view.readdir(folder), (name) => name)
    case 'entries':
      return collect(view.entries(query.range, opts), seqAndKey)
    case 'diff':
      return collect(view.diff(query.right, folder), ({ left, right }) => ({
        left: seqAndKey(left),
        right: seqAndKey(right)
      }))
    case 'read':
      return collect(view.createReadStream(path, opts), show)
    default:
      throw new Error(`unknown question ${query.q}`)
  }
}

async function collect(stream, describe) {
  const found = []
  for await (const each of stream) found.push(describe(each))
  return found
}

const entry = (node) => (node === null ? null : { seq: node.seq, key: node.key, value: node.value })
const seqAndKey = (node) => (node === null ? null : { seq: node.seq, key: node.key })

/** Open the blobs of a drive and tell all that is stored of both cores. */
export async function describeDrive(drive) {
  const { core } = drive
  const blobs = (await drive.getBlobs()).core
  return {
    dbBlocks: await blocksOf(core, hex),
    blobBlocks: await blocksOf(blobs, show),
    dbTreeHash: hex(await core.treeHash()),
    blobsTreeHash: hex(await blobs.treeHash())
  }
}

export async function blocksOf(core, describe, options) {
  const blocks = []
  for (let index = 0; index < core.length; index++) blocks.push(describe(await core.get(index, options)))
  return blocks
}
