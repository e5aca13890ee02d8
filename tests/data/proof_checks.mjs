// Vectors of checking proofs, many of them tampered with, and of going over to a higher fork.

import { random } from './lcg.mjs'
import { numbered } from './proof_blocks.mjs'
import { encodeData, outcome, Tree } from './reference_trees.mjs'
import { codecs, MerkleTree, ReorgBatch, wire } from '../interop/internals.mjs'
import { bytes, fill, hex } from '../interop/reference.mjs'

export async function proofChecks() {
  return {
    verifySamples: { blocks: sampleBlocks.map(hex), cases: await verifySamples() },
    reorg: await Promise.all(forks.map(reorg))
  }
}

const sizes = [0, 5, 10, 15, 3, 8, 13, 1, 6, 11, 16]
const sampleBlocks = sizes.map((size, i) => Buffer.alloc(size, i))

async function verifySamples() {
  const next = random(11)
  const cases = []
  for (const sourceLength of [3, 5, 7, 11]) {
    const source = new Tree(sampleBlocks.slice(0, sourceLength))
    for (const localLength of [0, 1, 2, 3, 4, 7].filter((length) => length <= sourceLength)) {
      for (const request of requestsOf(source, localLength, next)) {
        const honest = encodeData(await source.prove(request))
        const every = [['none', honest], ...mutations(honest, next)]
        for (const [i, [mutation, dataWire]] of every.entries()) {
          if (i > 0 && next(12) > 0) continue
          const localNodes = next(2) === 0 ? 'all' : 'roots'
          const local = new Tree(sampleBlocks.slice(0, localLength))
          if (localNodes === 'roots') local.keepRoots()
          cases.push({ sourceLength, localLength, localNodes, mutation, dataWire, result: await check(local, dataWire) })
        }
      }
    }
  }
  return cases
}

/** Requests that somebody with the first `start` blocks would make. */
function requestsOf({ length, byteLength }, start, next) {
  const missing = length - start
  const whole = { upgrade: { start, length: missing } }
  const known = { block: { index: next(start), nodes: 0 } }
  const requests = start === 0 ? [] : [known, { hash: { index: 2 * next(start), nodes: 0 } }]
  if (missing === 0) return requests
  requests.push(
    whole,
    { ...whole, block: { index: start + next(missing), nodes: 0 } },
    { ...whole, seek: { bytes: next(byteLength), padding: 0 } },
    { ...whole, hash: { index: start === 0 ? 1 : 2 * (start + next(missing)), nodes: 0 } }
  )
  if (missing > 1) requests.push({ upgrade: { start, length: 1 + next(missing - 1) } })
  if (start > 0) requests.push({ ...whole, ...known })
  return requests
}

const lists = {
  block: (proof) => proof.block?.nodes,
  hash: (proof) => proof.hash?.nodes,
  seek: (proof) => proof.seek?.nodes,
  upgrade: (proof) => proof.upgrade?.nodes,
  additional: (proof) => proof.upgrade?.additionalNodes
}

/** Pairs of a name and a data message that differs from the honest one. */
function mutations(honest, next) {
  const changed = []
  const change = (name, apply) => {
    const proof = codecs.decode(wire.data, bytes(honest))
    apply(proof)
    changed.push([name, encodeData(proof)])
  }
  const proof = codecs.decode(wire.data, bytes(honest))
  for (const [name, list] of Object.entries(lists)) {
    for (const i of (list(proof) ?? []).keys()) {
      change(`${name}-hash-${i}`, (each) => (list(each)[i].hash[next(32)] ^= 1 << next(8)))
      change(`${name}-size-${i}`, (each) => list(each)[i].size++)
      change(`${name}-index-${i}`, (each) => (list(each)[i].index += 2))
      change(`${name}-drop-${i}`, (each) => list(each).splice(i, 1))
      change(`${name}-twice-${i}`, (each) => list(each).splice(i, 0, list(each)[i]))
    }
    if (list(proof)?.length > 1) change(`${name}-reversed`, (each) => list(each).reverse())
  }
  if (proof.block) {
    change('block-index', (each) => each.block.index++)
    change('block-value', (each) => (each.block.value = Buffer.concat([each.block.value, Buffer.from('!')])))
  }
  if (proof.hash) change('hash-index', (each) => each.hash.index++)
  if (proof.upgrade) {
    change('upgrade-start', (each) => each.upgrade.start++)
    change('upgrade-longer', (each) => each.upgrade.length++)
    if (proof.upgrade.length > 1) change('upgrade-shorter', (each) => each.upgrade.length--)
  }
  return changed
}

/** What a proof leads to before its signature is checked. */
function check(local, dataWire) {
  return outcome(async () => {
    const batch = await MerkleTree.verify(local, codecs.decode(wire.data, bytes(dataWire)))
    const { length, byteLength, upgraded, nodes } = batch
    return { length, byteLength, upgraded, hash: hex(batch.hash()), nodes: nodes.map(({ index }) => index) }
  })
}

// Length of the old tree, of what both have in common, and of the new tree.
const forks = [
  [1, 0, 1],
  [2, 1, 2],
  [3, 2, 4],
  [4, 4, 5],
  [5, 3, 5],
  [7, 4, 6],
  [8, 8, 9],
  [8, 5, 8],
  [9, 8, 12],
  [13, 6, 16],
  [16, 11, 13],
  [20, 0, 7],
  [31, 30, 31],
  [5, 5, 3],
  [8, 3, 3],
  [33, 17, 40],
  [64, 9, 64],
  [6, 4, 4]
]

async function reorg([oldLength, common, newLength]) {
  const next = random(oldLength)
  const before = numbered(oldLength)
  const after = [...before.slice(0, common), ...numbered(newLength - common, common, 'new')]
  const [local, remote] = [new Tree(before), new Tree(after, { fork: 1, signature: fill(9) })]
  const proof = await remote.prove({ upgrade: { start: 0, length: newLength } })
  const batch = new ReorgBatch(local)
  const upgrade = encodeData(proof)
  await MerkleTree.reorg(local, proof, batch)
  const rounds = []
  while (!batch.finished) {
    const { start, end, nodes } = batch.want
    const index = start + next(Math.min(end, newLength) - start)
    const answer = await remote.prove({ hash: { index: 2 * index, nodes } })
    const want = { nodes, start, end }
    rounds.push({ want, index, data: encodeData(answer), done: await batch.update(answer) })
  }
  const { ancestors, length, fork, treeLength } = batch
  const nodes = batch.nodes.map(({ index }) => index)
  const result = { ancestors, length, fork, treeLength, hash: hex(batch.hash()), nodes }
  return { oldLength, common, newLength, upgrade, rounds, result }
}
