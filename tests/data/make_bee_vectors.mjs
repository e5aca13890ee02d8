// Writes bee.json: histories of Hyperbees, the blocks the JavaScript package makes of them, and what it reads from those.
//
//     cd tests/interop && npm ci && node ../data/make_bee_vectors.mjs

import { createHash } from 'node:crypto'
import { cases } from './bee_cases.mjs'
import { clearUnlinked, extensionMessages, subEncoders } from './bee_extras.mjs'
import { madeWith, writeVectors } from './json_file.mjs'
import { answer, apply } from '../interop/bee_operations.mjs'
import { bytes, Hyperbee, readBlocks, withStore } from '../interop/reference.mjs'

await withStore(async (store) => {
  const recorded = []
  for (const each of cases) recorded.push(await record(store, each))
  writeVectors('bee.json', {
    madeWith: madeWith(),
    cases: recorded,
    clearUnlinked: await clearUnlinked(store),
    extension: extensionMessages(),
    subEncoder: subEncoders()
  })
})

async function record(store, { name, about, options = {}, operations, generator, questions = [] }) {
  const core = store.get({ name })
  const bee = new Hyperbee(core, { ...options, metadata: metadata(options) })
  await bee.ready()
  const lengths = []
  for (const operation of operations) {
    await apply(bee, operation)
    lengths.push(core.length)
  }
  const blocks = await readBlocks(core)
  const history = generator
    ? { generator, blockCount: blocks.length, blocksSha256: digest(blocks) }
    : { ops: operations, lengths, blocks }
  const queries = []
  for (const question of questions) queries.push({ ...question, ...(await attempt(() => answer(bee, question))) })
  await bee.close()
  return { name, about, bee: options, ...history, queries }
}

function metadata({ metadata: given }) {
  if (!given) return given
  return Object.fromEntries(Object.entries(given).map(([field, value]) => [field, bytes(value)]))
}

async function attempt(ask) {
  try {
    return { result: await ask() }
  } catch (error) {
    return { error: error.message }
  }
}

function digest(blocks) {
  const hash = createHash('sha256')
  for (const block of blocks.map(bytes)) {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(block.length)
    hash.update(length).update(block)
  }
  return hash.digest('hex')
}
