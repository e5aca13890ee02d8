// Trees of the JavaScript package over nodes held in memory: what it calls a session, without a store around it.

import { codecs, crypto, MerkleTree, MerkleTreeBatch, wire } from '../interop/internals.mjs'
import { hex } from '../interop/reference.mjs'

export class Tree {
  constructor(blocks = [], { fork = 0, prologue = null, signature = null } = {}) {
    Object.assign(this, { fork, prologue, signature, blocks, roots: [], length: 0, byteLength: 0, nodes: new Map() })
    const reader = {
      getTreeNode: (index) => this.nodes.get(index) ?? null,
      hasTreeNode: (index) => this.nodes.has(index),
      tryFlush() {}
    }
    this.storage = { read: () => reader }
    const batch = new MerkleTreeBatch(this)
    for (const block of blocks) batch.append(block)
    for (const node of batch.nodes) this.nodes.set(node.index, node)
    Object.assign(this, { roots: batch.roots, length: batch.length, byteLength: batch.byteLength })
  }

  /** Forget all nodes but the roots. */
  keepRoots() {
    this.nodes = new Map(this.roots.map((root) => [root.index, root]))
    return this
  }

  async prove(request) {
    // The package changes the upgrade of a request.
    const pending = await MerkleTree.proof(asForByteOffsets(this), this.storage.read(), structuredClone(request))
    const proof = await pending.settle()
    if (proof.block) proof.block.value = this.blocks[proof.block.index]
    return proof
  }

  hash() {
    return crypto.tree(this.roots)
  }

  seek(bytes, padding = 0) {
    return MerkleTree.seek(this, bytes, padding).update()
  }
}

/**
 * Where the package adds up the sizes of the roots left of a node it reads `root.size.size`: the byte offset of a node
 * outside of the first root is NaN, and its proof lacks the seek part. With such roots it is right.
 */
function asForByteOffsets(tree) {
  return { ...tree, roots: tree.roots.map((root) => ({ ...root, size: { size: root.size } })) }
}

export const encodeData = (proof) => hex(codecs.encode(wire.data, { request: 1, ...proof }))
export const encodeRequest = (request) => hex(codecs.encode(wire.request, { id: 1, fork: 0, ...request }))

/** The result of `run`, or its error as {error: {code, message}}. */
export async function outcome(run) {
  try {
    return await run()
  } catch ({ code = null, message }) {
    return { error: { code, message } }
  }
}
