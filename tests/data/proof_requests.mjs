// Vectors of making proofs and of finding byte offsets.

import { blocks, prologueOf } from './proof_blocks.mjs'
import { random } from './lcg.mjs'
import { encodeData, encodeRequest, outcome, Tree } from './reference_trees.mjs'
import { hex } from '../interop/reference.mjs'

const block = (index, nodes) => ({ block: { index, nodes } })
const hash = (index, nodes) => ({ hash: { index, nodes } })
const seek = (bytes, padding = 0) => ({ seek: { bytes, padding } })
const upgrade = (start, length) => ({ upgrade: { start, length } })

const requests = {
  'block-alone': block(0, 0),
  'block-and-sibling': block(0, 1),
  'block-up-to-the-first-root': block(0, 3),
  'empty-block': block(1, 2),
  'right-block-up-to-the-root': block(6, 3),
  'block-in-a-later-root': block(9, 1),
  'block-that-is-a-root': block(10, 0),
  'above-a-root': block(10, 1),
  'far-above-a-root': block(10, 2),
  'above-the-first-root': block(0, 4),
  'leaf-hash': hash(4, 1),
  'parent-hash': hash(5, 1),
  'parent-hash-alone': hash(3, 0),
  'whole-tree': upgrade(0, 11),
  'beginning': upgrade(0, 7),
  'from-3-to-the-end': upgrade(3, 8),
  'from-3-to-5': upgrade(3, 2),
  'from-a-whole-root': upgrade(8, 3),
  'last-block': upgrade(10, 1),
  'no-length': upgrade(0, 0),
  'longer-than-the-tree': upgrade(0, 12),
  'block-in-a-whole-upgrade': { ...block(5, 0), ...upgrade(0, 11) },
  'last-block-in-an-upgrade': { ...block(10, 0), ...upgrade(3, 8) },
  'block-in-an-upgrade-with-more-behind': { ...block(9, 0), ...upgrade(3, 7) },
  'block-before-an-upgrade': { ...block(1, 1), ...upgrade(3, 8) },
  'block-behind-an-upgrade': { ...block(9, 0), ...upgrade(3, 2) },
  'hash-in-an-upgrade': { ...hash(9, 0), ...upgrade(3, 8) },
  'seek-in-an-upgrade': { ...seek(30), ...upgrade(0, 11) },
  'seek-before-an-upgrade': { ...seek(361), ...upgrade(3, 8) },
  'seek-to-a-root-of-an-upgrade': { ...seek(361), ...upgrade(0, 11) },
  'seek-behind-an-upgrade': { ...seek(400), ...upgrade(0, 11) },
  'seek-alone': seek(30),
  'seek-beside-a-block': { ...block(0, 3), ...seek(25) },
  'seek-beside-a-hash': { ...hash(0, 3), ...seek(100) },
  'seek-to-the-block-itself': { ...block(0, 3), ...seek(0) },
  'seek-with-padding': { ...block(0, 3), ...seek(12, 1) },
  'seek-outside-of-the-subtree': { ...block(1, 1), ...seek(8), ...upgrade(3, 8) },
  'seek-behind-the-subtree': { ...block(0, 1), ...seek(4000) },
  'seek-and-block-in-an-upgrade': { ...block(3, 0), ...seek(1), ...upgrade(0, 11) }
}

const inLaterRoots = {
  'seek-beside-a-hash': { ...hash(16, 2), ...seek(367) },
  'seek-beside-a-block': { ...block(8, 2), ...seek(370) },
  'seek-with-padding': { ...block(11, 2), ...seek(353, 1) },
  'seek-before-the-root': { ...block(8, 2), ...seek(100) }
}

export async function proofRequests(source) {
  const tree = new Tree(blocks.slice(0, 11), { signature: source.signature })
  return {
    proofs: {
      key: hex(source.key),
      length: 11,
      manifestInData: encodeData({ fork: 0, manifest: source.manifest }),
      cases: await named(tree, requests)
    },
    seekInLaterRoot: { length: 12, cases: await named(new Tree(blocks.slice(0, 12)), inLaterRoots) },
    prologueProofs: await prologueProofs(),
    proofSamples: await samples(),
    seeks: await Promise.all(offsets.map(async (offset) => [offset, await tree.seek(offset)])),
    paddedSeeks: { padding: 1, seeks: await paddedSeeks() }
  }
}

const range = (first, last, step = 1) => Array.from({ length: (last - first) / step + 1 }, (_, i) => first + i * step)
const offsets = [...range(0, 70), ...range(99, 331, 29), ...range(360, 371)]

/** As in an encrypted core, each block is longer than what counts of it. */
async function paddedSeeks() {
  const tree = new Tree(blocks.slice(0, 11).map((text) => Buffer.concat([Buffer.alloc(1), text])))
  return Promise.all(offsets.map(async (offset) => [offset, await tree.seek(offset, 1)]))
}

function named(tree, all) {
  return Promise.all(Object.entries(all).map(async ([name, request]) => ({ name, ...(await answer(tree, request)) })))
}

async function answer(tree, request) {
  const requestWire = encodeRequest(request)
  return { request, requestWire, ...(await outcome(async () => ({ dataWire: encodeData(await tree.prove(request)) }))) }
}

/** A prologue is sent whole: upgrades that begin in it are widened. */
async function prologueProofs() {
  const tree = new Tree(blocks.slice(0, 11), { prologue: prologueOf(5) })
  const cases = {
    'whole-tree': upgrade(0, 11),
    'the-prologue': upgrade(0, 5),
    'in-the-prologue': upgrade(2, 1),
    'across-its-end': upgrade(3, 8),
    'behind-it': upgrade(5, 6)
  }
  return { length: 11, prologue: { hash: hex(tree.prologue.hash), length: 5 }, cases: await named(tree, cases) }
}

/** Random requests to trees of every length up to 20, without signatures. */
async function samples() {
  const next = random(3)
  const trees = blocks.map((_, i) => new Tree(blocks.slice(0, i + 1)))
  const rows = []
  while (rows.length < 200) {
    const tree = trees[next(trees.length)]
    rows.push({ length: tree.length, ...(await answer(tree, randomRequest(next, tree))) })
  }
  return rows
}

function randomRequest(next, { length, byteLength }) {
  const request = {}
  const target = next(4)
  if (target < 2) Object.assign(request, block(next(length + (next(10) === 0 ? 3 : 0)), next(5)))
  else if (target === 2) Object.assign(request, hash(next(2 * length - 1), next(4)))
  if (next(3) === 0) Object.assign(request, seek(next(byteLength + 3), next(8) === 0 ? 1 : 0))
  if (next(2) === 0) {
    const start = next(length)
    Object.assign(request, upgrade(start, 1 + next(length - start)))
  }
  return Object.keys(request).length === 0 ? upgrade(0, length) : request
}
