// Signatures of cores that several have to sign.

import { codecs, manifestCodec, multisig } from './internals.mjs'
import { bytes, hex, withStore } from './reference.mjs'

/** Let each signer sign as many of the blocks as it has; return their signature of the first `length` blocks. */
export async function signTogether({ manifest, signers, blocks, length }) {
  const decoded = codecs.decode(manifestCodec, bytes(manifest))
  const parts = []
  for (const signer of signers) parts.push(await signAlone(decoded, signer, blocks, length))
  return hex(decoded.version === 0 ? multisig.assemblev0(parts) : multisig.assemble(parts))
}

function signAlone(manifest, { number, keyPair, has }, blocks, length) {
  return withStore(async (store) => {
    const { publicKey, secretKey } = keyPair
    const core = store.get({ manifest, keyPair: { publicKey: bytes(publicKey), secretKey: bytes(secretKey) } })
    await core.ready()
    await core.append(blocks.slice(0, has).map(bytes))
    return multisig.partialSignature(core.core, number, length)
  })
}
