// The pinned JavaScript packages, and how tests and vector generators open them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Corestore from 'corestore'
import Hyperbee from 'hyperbee'
import Hyperblobs from 'hyperblobs'
import Hyperdrive from 'hyperdrive'

export { Corestore, Hyperbee, Hyperblobs, Hyperdrive }

export const hex = (bytes) => (bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString('hex'))
export const bytes = (text) => (text === null || text === undefined ? null : Buffer.from(text, 'hex'))

/** 32 bytes of the same value. */
export const fill = (value) => Buffer.alloc(32, value)

/** Run `use(directory)` on a temporary directory and remove it afterwards. */
export async function withDirectory(use) {
  const directory = mkdtempSync(join(tmpdir(), 'hypercore-reference-'))
  try {
    return await use(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Open a store with a known primary key. */
export async function openStore(directory, { primaryKey = fill(1), ...options } = {}) {
  const store = new Corestore(directory, { primaryKey, unsafe: true, ...options })
  await store.ready()
  return store
}

/** Run `use(store)` on a store in a temporary directory; close and remove it afterwards. */
export function withStore(use, options) {
  return withDirectory(async (directory) => {
    const store = await openStore(directory, options)
    try {
      return await use(store)
    } finally {
      await store.close()
    }
  })
}

/** Everything about the state of a core that another implementation has to agree with. */
export async function describeCore(core) {
  const { state } = core.core
  return {
    length: core.length,
    byteLength: core.byteLength,
    fork: core.fork,
    roots: state.roots.map(describeNode),
    treeHash: hex(await core.treeHash()),
    signature: hex(state.signature)
  }
}

export const describeNode = ({ index, size, hash }) => ({ index, size, hash: hex(hash) })

export async function readBlocks(core) {
  const blocks = []
  for (let index = 0; index < core.length; index++) blocks.push(hex(await core.get(index)))
  return blocks
}
