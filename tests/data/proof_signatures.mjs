// Vectors of signatures of several signers, and of a core that needs none.

import { keyPair, showManifest } from './core_formats.mjs'
import { blocks, prologueOf } from './proof_blocks.mjs'
import { Tree } from './reference_trees.mjs'
import { codecs, manifestCodec, MerkleTreeBatch, multisig, Verifier } from '../interop/internals.mjs'
import { hex, withStore } from '../interop/reference.mjs'

export async function signatures() {
  const kinds = [0, 1].flatMap((version) => [false, true].map((allowPatch) => ({ version, allowPatch })))
  return { multisig: await Promise.all(kinds.map(ofSeveral)), staticCore: await staticCore() }
}

const length = 5

/** Two of three sign; where patches are allowed, the second has signed two blocks more. */
async function ofSeveral({ version, allowPatch }) {
  const signers = [1, 2, 3].map((seed) => ({ publicKey: keyPair(seed).publicKey }))
  const manifest = Verifier.createManifest({ version, allowPatch, quorum: 2, signers })
  const verifier = Verifier.fromManifest(manifest)
  const signedLengths = [length, allowPatch ? length + 2 : length]
  const inputs = []
  for (const [number, signed] of signedLengths.entries()) {
    const signature = verifier.signers[number].sign(batchOf(signed), keyPair(number + 1))
    const state = new Tree(blocks.slice(0, signed), { signature })
    inputs.push(await multisig.partialSignature({ state }, number, length))
  }
  const [first, second] = inputs
  const blobs = {
    honest: [first, second],
    reversed: [second, first],
    duplicate: [first, first],
    tooFew: [first],
    unknownSigner: [first, { ...second, signer: 3 }],
    otherSigner: [first, { ...second, signer: 2 }],
    ...(allowPatch && { otherPatch: [first, { ...second, patch: 1 }] })
  }
  return {
    version,
    allowPatch,
    quorum: 2,
    key: hex(Verifier.manifestHash(manifest)),
    manifest: showManifest(manifest),
    manifestEncoded: hex(codecs.encode(manifestCodec, manifest)),
    length,
    signedLengths,
    rawSignatures: inputs.map(({ signature }) => hex(signature)),
    blobs: Object.entries(blobs).map(([name, parts]) => {
      const blob = verifier.assemble(parts)
      return { name, blob: hex(blob), verifies: verifier.verify(batchOf(length), blob) }
    })
  }
}

const batchOf = (signed) => new MerkleTreeBatch(new Tree(blocks.slice(0, signed)))

function staticCore() {
  return withStore(async (store) => {
    const source = store.get({ manifest: { signers: [{ publicKey: keyPair(3).publicKey }] }, keyPair: keyPair(3) })
    await source.ready()
    await source.append(blocks.slice(0, length))
    const manifest = Verifier.createManifest({ version: 1, quorum: 0, signers: [], prologue: prologueOf(length) })
    const core = store.get({ manifest })
    await core.ready()
    await core.core.copyPrologue(source.core.state)
    return {
      key: hex(core.key),
      manifest: showManifest(manifest),
      length: core.length,
      treeHash: hex(await core.treeHash()),
      block0: hex(await core.get(0)),
      writable: core.writable
    }
  })
}
