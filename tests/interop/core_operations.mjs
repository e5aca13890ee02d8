// Operations on a core, and questions to one, as JSON. core_operations.py has the same for Python.

import { manifestCodec, codecs, MerkleTree } from './internals.mjs'
import { bytes, describeNode, hex, openStore, withDirectory } from './reference.mjs'

/** Open a core in a new store, do the operations one after the other, and return the answer to each. */
export function liveCore({ core: description, operations }) {
  return withDirectory(async (directory) => {
    const life = new Life(directory, description)
    await life.open()
    try {
      const answers = []
      for (const operation of operations) answers.push(await life.answer(operation))
      return answers
    } finally {
      await life.store.close()
    }
  })
}

class Life {
  constructor(directory, description) {
    this.directory = directory
    this.description = description
  }

  async open() {
    const { name, key, keyPair, manifest, encryptionKey } = this.description
    this.store = await openStore(this.directory)
    this.core = this.store.get({
      ...(name && { name }),
      ...(key && { key: bytes(key) }),
      ...(keyPair && { keyPair: { publicKey: bytes(keyPair.publicKey), secretKey: bytes(keyPair.secretKey) } }),
      ...(manifest && { manifest: codecs.decode(manifestCodec, bytes(manifest)) }),
      ...(encryptionKey && { encryptionKey: bytes(encryptionKey) })
    })
    this.sessions = new Map()
    await this.core.ready()
  }

  /** Do one operation, to the core or to one of its named sessions. */
  async answer({ op, session, ...parameters }) {
    const core = session === undefined ? this.core : await this.session(session, op === 'restart')
    try {
      return await operationsOf[op](core, parameters, this)
    } catch (error) {
      if (error.code === undefined) throw error
      return { refused: error.code }
    }
  }

  async session(name, overwrite = false) {
    if (overwrite) await this.sessions.get(name)?.close()
    if (overwrite || !this.sessions.has(name)) this.sessions.set(name, this.core.session({ name, overwrite }))
    const session = this.sessions.get(name)
    await session.ready()
    return session
  }
}

const REFUSED = { refused: true }

const operationsOf = {
  async append(core, { blocks, signature }) {
    const given = Array.isArray(blocks) ? blocks.map(bytes) : bytes(blocks)
    await core.append(given, signature ? { signature: bytes(signature) } : {})
    return stateOf(core)
  },

  async truncate(core, { length, fork }) {
    await core.truncate(length, fork)
    return stateOf(core)
  },

  async clear(core, { start, end }) {
    const nodes = await storedNodes(core)
    await core.clear(start, end)
    // clear deletes nodes that prove blocks which are kept, and that truncate needs.
    const tx = core.state.storage.write()
    for (const node of nodes) tx.putTreeNode(node)
    await tx.flush()
    return stateOf(core)
  },

  async reopen(core, parameters, life) {
    await life.store.close()
    await life.open()
    return stateOf(life.core)
  },

  state: stateOf,

  /** The session begins anew when it is opened for this. */
  restart: stateOf,

  async blocks(core) {
    const blocks = []
    for (let index = 0; index < core.length; index++) {
      const decrypted = await core.get(index, { wait: false })
      const stored = await core.get(index, { wait: false, raw: true })
      blocks.push(stored && { stored: hex(stored), block: hex(decrypted) })
    }
    return blocks
  },

  async seek(core, { offsets }) {
    const places = []
    for (const offset of offsets) places.push(await core.seek(offset, { wait: false }))
    return places
  },

  async missingNodes(core) {
    const counts = []
    for (let index = 0; index < 2 * core.length; index++) {
      counts.push(await MerkleTree.missingNodes(core.state, index, core.length))
    }
    return counts
  },

  async prove(core, { request }) {
    const reader = core.state.storage.read()
    const block = request.block ? reader.getBlock(request.block.index) : null
    try {
      const proof = await makeProof(core, reader, request)
      if (proof.block) proof.block.value = await block
      return proof.block?.value === null ? REFUSED : describeProof(proof)
    } catch (error) {
      // A replicator takes every error for a refusal. A TypeError is one, too: of a missing root it reads the size.
      if (error.code !== 'INVALID_OPERATION' && !(error instanceof TypeError)) throw error
      return REFUSED
    }
  },

  async apply(core, { proof }) {
    return { applied: await core.applyProof(readProof(proof)), ...stateOf(core) }
  },

  async reorg(core, { proofs }) {
    const [first, ...rest] = proofs.map(readProof)
    const batch = await core.core.verifyReorg(first)
    for (const proof of rest) await batch.update(proof)
    const { finished, ancestors } = batch
    await core.core.reorg(batch)
    return { finished, ancestors, ...stateOf(core) }
  },

  async setUserData(core, { name, value }) {
    await core.setUserData(name, bytes(value))
  },

  async userData(core, { name }) {
    return hex(await core.getUserData(name))
  },

  async commit(core, { from, length }, life) {
    const result = await core.commit(await life.session(from), length === undefined ? {} : { length })
    return { committed: result && result.length, ...stateOf(core) }
  }
}

/** Everything about a core that others have to agree with. A named session has no signature, and forgets its fork. */
function stateOf(core) {
  const state = { length: core.length, byteLength: core.byteLength, treeHash: hex(core.state.hash()) }
  if (core.state !== core.core.state) return state
  return {
    ...state,
    fork: core.fork,
    signature: hex(core.state.signature),
    contiguousLength: core.contiguousLength,
    has: Array.from({ length: core.length }, (_, index) => (core.core.bitfield.get(index) ? '1' : '0')).join('')
  }
}

/** As the replicator does it, and not core.proof, which closes its reader before it has found what to seek. */
async function makeProof(core, reader, request) {
  let making
  try {
    making = await MerkleTree.proof(core.state, reader, request)
  } finally {
    reader.tryFlush()
  }
  const proof = await making.settle()
  if (proof.upgrade && !core.core.compat) proof.manifest = core.manifest
  return proof
}

async function storedNodes(core) {
  const nodes = []
  for await (const node of core.state.storage.createTreeNodeStream()) nodes.push(node)
  return nodes
}

function describeProof({ fork, block, hash, seek, upgrade, manifest }) {
  const nodes = (list) => list.map(describeNode)
  return {
    fork,
    block: block && { index: block.index, value: hex(block.value), nodes: nodes(block.nodes) },
    hash: hash && { index: hash.index, nodes: nodes(hash.nodes) },
    seek: seek && { bytes: seek.bytes, nodes: nodes(seek.nodes) },
    upgrade: upgrade && {
      start: upgrade.start,
      length: upgrade.length,
      nodes: nodes(upgrade.nodes),
      additionalNodes: nodes(upgrade.additionalNodes),
      signature: hex(upgrade.signature)
    },
    manifest: manifest && hex(codecs.encode(manifestCodec, manifest))
  }
}

function readProof({ fork, block, hash, seek, upgrade, manifest }) {
  const nodes = (list) => list.map((node) => ({ ...node, hash: bytes(node.hash) }))
  return {
    fork,
    block: block && { ...block, value: bytes(block.value), nodes: nodes(block.nodes) },
    hash: hash && { ...hash, nodes: nodes(hash.nodes) },
    seek: seek && { ...seek, nodes: nodes(seek.nodes) },
    upgrade: upgrade && {
      ...upgrade,
      nodes: nodes(upgrade.nodes),
      additionalNodes: nodes(upgrade.additionalNodes),
      signature: bytes(upgrade.signature)
    },
    manifest: manifest && codecs.decode(manifestCodec, bytes(manifest))
  }
}
