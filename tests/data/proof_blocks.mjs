// The blocks that the proofs are about, and the manifest of the core that holds them.

import { keyPair } from './core_formats.mjs'
import { blocks } from './core_histories.mjs'
import { Tree } from './reference_trees.mjs'

export { blocks }
export const manifest = { version: 1, signers: [{ publicKey: keyPair(1).publicKey }] }

export function prologueOf(length) {
  return { hash: new Tree(blocks.slice(0, length)).hash(), length }
}

export const numbered = (length, from = 0, letter = 'a') =>
  Array.from({ length }, (_, i) => Buffer.from(`${letter}${from + i}`))
