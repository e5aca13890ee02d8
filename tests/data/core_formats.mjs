// Vectors of everything that needs no log: encodings, keys, hashes, ids, manifests and the keys of named cores.

import { codecs, crypto, Hypercore, ids, indexEncoder, manifestCodec, storedManifestCodec, Verifier } from '../interop/internals.mjs'
import { bytes, fill, hex, withStore } from '../interop/reference.mjs'

export const keyPair = (seed) => crypto.keyPair(fill(seed))

const namespaceNames = ['TREE', 'REPLICATE_INITIATOR', 'REPLICATE_RESPONDER', 'MANIFEST', 'DEFAULT_NAMESPACE', 'DEFAULT_ENCRYPTION']

export async function formats() {
  return {
    encodings: encodings(),
    decodings: decodings(),
    encodeErrors: encodeErrors(),
    indexEncoder: indexKeys(),
    namespaces: {
      hypercore: Object.fromEntries(crypto.namespace('hypercore', 6).map((each, id) => [namespaceNames[id], hex(each)])),
      corestore: hex(crypto.namespace('corestore', 1)[0])
    },
    keyPairs: [1, 2, 3].map(describeKeyPair),
    signatures: ['', 'hello', 'x'.repeat(300)].map(describeSignature),
    discoveryKeys: [fill(1), keyPair(1).publicKey].map((key) => ({
      key: hex(key),
      discoveryKey: hex(crypto.discoveryKey(key))
    })),
    hashes: hashes(),
    ids: keyIds(),
    manifests: manifests().map(describeManifest),
    manifestErrors: manifestErrors(),
    manifestDecodeErrors: ['03000000', '000003', '0001', '010001', '0100000101', ''].map((text) => ({
      hex: text,
      ...attempt(() => hex(codecs.decode(manifestCodec, bytes(text))))
    })),
    corestore7: [await storeKeys(fill(1)), await storeKeys(fill(42))]
  }
}

/** {ok: result}, or {error: message} and the code if the error has one. */
function attempt(run) {
  try {
    return { ok: run() }
  } catch (error) {
    return error.code ? { error: error.message, code: error.code } : { error: error.message }
  }
}

const uints = [0, 1, 252, 253, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
const ints = [0, -1, 1, -126, 126, 127, -127, 32767, -32768, 2 ** 31, -(2 ** 31), 2 ** 52 - 1, -(2 ** 52)]
const texts = ['', 'a', 'hypercore', 'blåbær 🫐', 'x'.repeat(300)]
const byteStrings = ['', '00', '010203', 'ab'.repeat(300)]

const codecOf = {
  'array(uint)': codecs.array(codecs.uint),
  'array(string)': codecs.array(codecs.string),
  'frame(string)': codecs.frame(codecs.string),
  'frame(uint)': codecs.frame(codecs.uint),
  'raw.json': codecs.raw.json,
  'raw.utf8': codecs.raw.utf8
}
const codec = (type) => codecOf[type] ?? codecs[type]
const heldInBytes = new Set(['buffer', 'optionalBuffer', 'fixed32'])

function encodings() {
  const rows = []
  const add = (type, ...values) => {
    for (const value of values) {
      const raw = heldInBytes.has(type) ? bytes(value) : value
      rows.push({ type, value, hex: hex(codecs.encode(codec(type), raw)) })
    }
  }
  add('uint', ...uints)
  add('int', ...ints)
  add('uint16', 0, 65535)
  add('uint32', 0, 2 ** 32 - 1)
  add('uint64', 0, 1, 255, 65536, 2 ** 32, Number.MAX_SAFE_INTEGER)
  add('float64', 0, 1.5, -2.25)
  add('bool', true, false)
  add('string', ...texts)
  add('buffer', ...byteStrings)
  add('optionalBuffer', null, ...byteStrings)
  add('fixed32', hex(fill(7)))
  add('array(uint)', [], [1, 253, 70000])
  add('array(string)', ['a', ''])
  add('frame(string)', 'hello')
  const words = [1, 2 ** 32 - 1, 16909060]
  rows.push({ type: 'uint32array', value: words, hex: hex(codecs.encode(codecs.uint32array, Uint32Array.from(words))) })
  add('json', { a: [1, 'b', null, true], å: 1.5 })
  add('raw.json', { a: 1 })
  add('raw.utf8', 'plain')
  add('any', null, true, 'text', 5, -5, 1.5, [1, 'a'], { a: 1, b: { c: null } })
  return rows
}

function decodings() {
  const cases = {
    uint: ['', 'fd01', 'fd0100', 'fe01000000', 'ff0100000000000000', 'ffffffffffffff1f00', 'ff0000000000002000', 'ff'.repeat(9)],
    buffer: ['0300ff', '00', '02ab'],
    optionalBuffer: ['00', '01ff'],
    string: ['0561', '02c328', '0161ff'],
    bool: ['02', ''],
    fixed32: ['00', '07'.repeat(32)],
    'array(uint)': ['fe01001000', '0301', '020102'],
    'frame(uint)': ['0201ff', '03010203', '0501'],
    any: ['0a', '04fd2c01']
  }
  return Object.entries(cases).flatMap(([type, inputs]) =>
    inputs.map((input) => ({ type, hex: input, ...attempt(() => plain(codecs.decode(codec(type), bytes(input)))) }))
  )
}

const plain = (value) => (Buffer.isBuffer(value) ? hex(value) : value)

function encodeErrors() {
  const cases = [
    ['uint', -1],
    ['uint', 2 ** 53],
    ['int', 2 ** 52],
    ['uint64', 2 ** 53],
    ['fixed32', '00'.repeat(31)]
  ]
  return cases.map(([type, value]) => {
    const raw = heldInBytes.has(type) ? bytes(value) : value
    return { type, value, ...attempt(() => hex(codecs.encode(codec(type), raw))) }
  })
}

function indexKeys() {
  const numbers = [0, 1, 251, 252, 253, 65535, 65536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
  const encode = (type, value) => hex(codecs.encode(indexEncoder[type], value))
  return [
    ...numbers.map((value) => ({ type: 'UINT', value, hex: encode('UINT', value) })),
    { type: 'UINT', value: 'Infinity', hex: encode('UINT', Infinity) },
    ...['', 'a', 'a\0b', '\0', '\0\0', 'é'].map((value) => ({ type: 'STRING', value, hex: encode('STRING', value) }))
  ]
}

function describeKeyPair(seed) {
  const { publicKey, secretKey } = keyPair(seed)
  return { seed: hex(fill(seed)), publicKey: hex(publicKey), secretKey: hex(secretKey) }
}

function describeSignature(text) {
  const message = Buffer.from(text)
  return { seed: hex(fill(1)), message: hex(message), signature: hex(crypto.sign(message, keyPair(1).secretKey)) }
}

function hashes() {
  const leaf = (index, text) => ({ index, size: text.length, hash: crypto.data(Buffer.from(text)) })
  const shown = (node) => ({ ...node, hash: hex(node.hash) })
  const [left, right] = [leaf(0, 'hello'), leaf(2, 'x'.repeat(300))]
  const roots = [
    { index: 1, size: 5, hash: fill(7) },
    { index: 4, size: 2 ** 40, hash: fill(8) }
  ]
  return {
    data: ['', 'a', 'hello world', 'x'.repeat(300)].map((text) => ({
      data: hex(Buffer.from(text)),
      hash: hex(crypto.data(Buffer.from(text)))
    })),
    parent: [{ a: shown(left), b: shown(right), hash: hex(crypto.parent(left, right)) }],
    tree: [[], roots].map((list) => ({ roots: list.map(shown), hash: hex(crypto.tree(list)) })),
    hash: [{ parts: ['6162', '63'], hash: hex(crypto.hash([bytes('6162'), bytes('63')])) }]
  }
}

function keyIds() {
  const key = keyPair(1).publicKey
  const z32 = ids.encode(key)
  const written = [
    z32,
    hex(key),
    hex(key).toUpperCase(),
    `pear://${z32}`,
    `pear://${z32}/some/path?x=1`,
    `pear://${hex(key)}`,
    z32.toUpperCase(),
    z32.slice(1),
    `zz${hex(key).slice(2)}`,
    `${z32.slice(0, 51)}l`,
    `${hex(key)}00`,
    ''
  ]
  const lastCharacters = 'ybndrfg8ejkmcpqxot1uwisza345h769'
  return {
    key: hex(key),
    z32,
    decode: Object.fromEntries(written.map((text) => [text, attempt(() => hex(ids.decode(text)))])),
    lastCharVariants: [...lastCharacters].filter((last) => ids.decode(z32.slice(0, 51) + last).equals(key)).join(''),
    zeros: ids.encode(fill(0)),
    ones: ids.encode(fill(255))
  }
}

const signer = (seed, namespace) => ({ publicKey: keyPair(seed).publicKey, ...(namespace && { namespace }) })
const prologue = (length) => ({ hash: fill(6), length })

function manifests() {
  const two = [signer(1), signer(2)]
  const three = [...two, signer(3)]
  return [
    ['v1-single-default', { signers: [signer(1)] }],
    ['v1-single-custom-namespace', { signers: [signer(1, fill(9))] }],
    ['v1-2of3', { quorum: 2, signers: three }],
    ['v1-default-quorum-of-4', { signers: [...three, signer(4)] }],
    ['v1-2of3-patch', { allowPatch: true, quorum: 2, signers: three }],
    ['v1-static-prologue', { quorum: 0, signers: [], prologue: prologue(300) }],
    ['v1-prologue-and-signer', { signers: [signer(1)], prologue: prologue(5) }],
    ['v0-single', { version: 0, signers: [signer(1)] }],
    ['v0-2of2', { version: 0, quorum: 2, signers: two }],
    ['v0-1of1-patch', { version: 0, allowPatch: true, signers: [signer(1)] }],
    ['v0-static-prologue', { version: 0, quorum: 0, signers: [], prologue: prologue(3) }],
    ['v2-userdata', { userData: Buffer.from('hello'), signers: [signer(1)] }],
    ['v2-linked', { linked: [fill(10), fill(11)], signers: [signer(1)] }],
    ['v2-all', { version: 2, allowPatch: true, quorum: 1, signers: two, prologue: prologue(70000), linked: [fill(10)], userData: Buffer.from('u') }],
    ['v2-plain', { version: 2, signers: [signer(1)] }]
  ]
}

function describeManifest([name, input]) {
  const manifest = Verifier.createManifest(input)
  const encoded = codecs.encode(manifestCodec, manifest)
  const key = Hypercore.key(input)
  return {
    name,
    manifest: showManifest(manifest),
    encoded: hex(encoded),
    stored: hex(codecs.encode(storedManifestCodec, manifest)),
    decodedFromWire: showManifest(codecs.decode(manifestCodec, encoded)),
    key: hex(key),
    id: ids.encode(key),
    discoveryKey: hex(crypto.discoveryKey(key))
  }
}

export function showManifest(manifest) {
  const { version, hash, allowPatch, quorum, signers, linked, userData } = manifest
  return {
    version,
    hash,
    allowPatch,
    quorum,
    signers: signers.map(({ signature, namespace, publicKey }) => ({
      signature,
      namespace: hex(namespace),
      publicKey: hex(publicKey)
    })),
    prologue: manifest.prologue && { hash: hex(manifest.prologue.hash), length: manifest.prologue.length },
    linked: linked && linked.map(hex),
    userData: hex(userData)
  }
}

function manifestErrors() {
  const cases = {
    'negative quorum': { quorum: -1, signers: [signer(1)] },
    'quorum too high': { quorum: 2, signers: [signer(1)] },
    'bad hash': { hash: 'sha256', signers: [signer(1)] },
    'bad prologue': { prologue: { hash: Buffer.alloc(31), length: 1 }, signers: [signer(1)] },
    'v1 userData': { version: 1, userData: Buffer.from('u'), signers: [signer(1)] },
    'v1 linked': { version: 1, linked: [fill(1)], signers: [signer(1)] },
    'bad linked': { version: 2, linked: [Buffer.alloc(31)], signers: [signer(1)] },
    'no public key': { signers: [{}] },
    'bad signature type': { signers: [{ ...signer(1), signature: 'ed448' }] }
  }
  return Object.entries(cases).map(([name, input]) => ({ name, ...attempt(() => showManifest(Verifier.createManifest(input))) }))
}

const names = [
  [[], 'default'],
  [[], 'blåbær'],
  [['app'], 'default'],
  [['app', 'inner'], 'db'],
  [['hex:000102'], 'db'],
  [[], 'res-bee']
]

async function storeKeys(primaryKey) {
  const rows = await withStore(async (store) => Promise.all(names.map((row) => storeKey(store, ...row))), { primaryKey })
  const version2 = await withStore((store) => storeKey(store, [], 'v2name'), { primaryKey, manifestVersion: 2 })
  return { primaryKey: hex(primaryKey), rows: [...rows, version2] }
}

async function storeKey(root, namespace, name) {
  const step = (text) => (text.startsWith('hex:') ? bytes(text.slice(4)) : text)
  const store = namespace.reduce((parent, text) => parent.namespace(step(text)), root)
  const core = store.get({ name })
  await core.ready()
  const { publicKey, secretKey } = core.keyPair
  return {
    namespace,
    namespaceKey: hex(store.ns),
    name,
    publicKey: hex(publicKey),
    secretKeySeed: hex(secretKey.subarray(0, 32)),
    manifestVersion: core.manifest.version,
    coreKey: hex(core.key),
    id: core.id,
    discoveryKey: hex(core.discoveryKey)
  }
}
