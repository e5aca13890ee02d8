// Writes core.json: encodings, keys, hashes, manifests, names, trees and stored records as the JavaScript packages make them.
//
//     cd tests/interop && npm ci && node ../data/make_core_vectors.mjs

import { formats } from './core_formats.mjs'
import { histories } from './core_histories.mjs'
import { madeWith, writeVectors } from './json_file.mjs'

writeVectors('core.json', { madeWith: madeWith(), ...(await formats()), ...(await histories()) })
