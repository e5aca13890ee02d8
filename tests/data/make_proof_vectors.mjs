// Writes proofs.json: requests and proofs, what checking them leads to, and signatures of several signers.
//
//     cd tests/interop && npm ci && node ../data/make_proof_vectors.mjs

import { madeWith, writeVectors } from './json_file.mjs'
import { blocks } from './proof_blocks.mjs'
import { proofChecks } from './proof_checks.mjs'
import { copies, withSource } from './proof_copies.mjs'
import { proofRequests } from './proof_requests.mjs'
import { signatures } from './proof_signatures.mjs'
import { hex } from '../interop/reference.mjs'

const sections = await withSource(async (source) => ({ ...(await proofRequests(source)), ...(await copies(source)) }))
const rest = { ...(await proofChecks()), ...(await signatures()) }
writeVectors('proofs.json', { madeWith: madeWith(), blocks: blocks.map(hex), ...sections, ...rest })
