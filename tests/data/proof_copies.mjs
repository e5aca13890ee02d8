// Vectors of copies: a core that knows nothing but its key takes proofs, honest ones and others.

import { keyPair } from './core_formats.mjs'
import { storedNodes } from './core_histories.mjs'
import { blocks, manifest } from './proof_blocks.mjs'
import { encodeData, outcome, Tree } from './reference_trees.mjs'
import { codecs, Verifier, wire } from '../interop/internals.mjs'
import { bytes, fill, hex, withStore } from '../interop/reference.mjs'

const length = 11

/** Run `use({key, manifest, tree, signature})` with the core of the first 11 blocks. */
export function withSource(use) {
  return withStore(async (store) => {
    const core = store.get({ manifest, keyPair: keyPair(1) })
    await core.ready()
    await core.append(blocks.slice(0, length))
    const { signature } = core.core.state
    const tree = new Tree(blocks.slice(0, length), { signature })
    return use({ key: core.key, manifest: core.manifest, signature, tree })
  })
}

export async function copies(source) {
  return {
    applyProof: await lifeOfCopy(source),
    applyProofNegative: await freshCopies(source)
  }
}

const withCopy = (key, use) =>
  withStore(async (store) => {
    const core = store.get({ key })
    await core.ready()
    return use(core)
  })

const decode = (text) => codecs.decode(wire.data, bytes(text))

async function lifeOfCopy(source) {
  const block = (index, nodes) => ({ block: { index, nodes } })
  const steps = [
    ['first-seven-blocks', { upgrade: { start: 0, length: 7 } }],
    ['block-with-another-value', block(2, 2), (proof) => (proof.block.value = Buffer.from('worlD'))],
    ['block-with-another-sibling', block(2, 2), (proof) => (proof.block.nodes[0].hash = fill(0))],
    ['block', block(2, 2)],
    ['block-of-a-known-hash', block(3, 0)],
    ['first-block', block(0, 1)],
    ['block-of-another-fork', block(1, 0), (proof) => (proof.fork = 3)],
    ['block-of-a-root', block(10, 0)],
    ['block-again', block(2, 0)],
    ['shorter-upgrade-with-a-block', { ...block(4, 0), upgrade: { start: 0, length: 6 } }],
    ['empty-block', block(1, 0)]
  ]
  return withCopy(source.key, async (copy) => {
    const rows = []
    for (const [label, request, change = () => {}] of steps) {
      const proof = await honest(source, request)
      change(proof)
      const dataWire = encodeData(proof)
      rows.push({ label, request, dataWire, ...(await apply(copy, dataWire)), ...(await describe(copy)) })
    }
    return rows
  })
}

/** A proof with nodes of its own, to be changed. */
async function honest({ tree, manifest }, request) {
  return decode(encodeData({ ...(await tree.prove(request)), manifest }))
}

const apply = (copy, dataWire) => outcome(async () => ({ result: await copy.core.verify(decode(dataWire)) }))

async function describe(copy) {
  const nodes = (await storedNodes(copy)).map(({ index }) => index)
  const missing = []
  for (let index = 0; index < length; index++) missing.push(await copy.missingNodes(index))
  return { length: copy.length, fork: copy.fork, contiguousLength: copy.contiguousLength, nodes, missing }
}

const whole = { upgrade: { start: 0, length } }
const signedWith = (change) => [whole, (proof) => (proof.upgrade.signature = change(proof.upgrade.signature))]
const rootsChanged = (change) => [whole, (proof) => change(proof.upgrade.nodes)]

const attempts = {
  honest: [whole],
  'signature-changed': signedWith((signature) => Buffer.from(signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte)))),
  'signature-bare': signedWith((signature) => signature.subarray(2, 66)),
  'signature-of-signer-1': signedWith((signature) => Buffer.concat([Buffer.from([1, 1]), signature.subarray(2)])),
  'signature-of-nobody': signedWith(() => Buffer.from([0, 0])),
  'signature-with-bytes-behind': signedWith((signature) => Buffer.concat([signature, Buffer.from([7])])),
  'signature-missing': signedWith(() => null),
  'root-hash-changed': rootsChanged((nodes) => (nodes[0].hash[0] ^= 1)),
  'root-size-changed': rootsChanged((nodes) => nodes[0].size++),
  'root-index-changed': rootsChanged((nodes) => (nodes[0].index = 9)),
  'root-missing': rootsChanged((nodes) => nodes.pop()),
  'roots-reversed': rootsChanged((nodes) => nodes.reverse()),
  'root-too-many': rootsChanged((nodes) => nodes.push(nodes[0])),
  'another-fork': [whole, (proof) => (proof.fork = 1)],
  'without-additional-nodes': [{ upgrade: { start: 0, length: 7 } }, (proof) => (proof.upgrade.additionalNodes = [])],
  'manifest-of-another-core': [
    whole,
    (proof) => (proof.manifest = Verifier.defaultSignerManifest(keyPair(2).publicKey))
  ],
  'manifest-missing': [whole, (proof) => (proof.manifest = null)],
  'block-in-the-upgrade': [{ ...whole, block: { index: 5, nodes: 0 } }],
  'block-in-the-upgrade-changed': [
    { ...whole, block: { index: 5, nodes: 0 } },
    (proof) => (proof.block.value = Buffer.from('other'))
  ],
  'block-without-upgrade': [{ block: { index: 0, nodes: 3 } }]
}

async function freshCopies(source) {
  const rows = []
  for (const [label, [request, change = () => {}]] of Object.entries(attempts)) {
    const proof = await honest(source, request)
    change(proof)
    const dataWire = encodeData(proof)
    const result = await withCopy(source.key, async (copy) => ({ ...(await apply(copy, dataWire)), length: copy.length }))
    rows.push({ label, request, dataWire, ...result })
  }
  return rows
}
