// Operations on a Hyperbee, and questions to one, written down as JSON. tests/data/README.md explains the fields.

import { bytes, hex } from './reference.mjs'

const compareAndSwap = {
  never: () => false,
  always: () => true,
  changed: (previous, next) => hex(previous.value) !== hex(next.value)
}

export function openSub(bee, path = []) {
  return path.reduce((parent, { prefix, prefixHex, sep }) => {
    const name = prefixHex === undefined ? prefix : bytes(prefixHex)
    return parent.sub(name, sep === undefined ? {} : { sep: bytes(sep) })
  }, bee)
}

/** Apply one operation; `target` is the bee or a batch of it. */
export async function apply(target, operation) {
  switch (operation.op) {
    case 'put':
      return openSub(target, operation.sub).put(...keyAndValue(operation), options(operation))
    case 'del':
      return openSub(target, operation.sub).del(keyAndValue(operation)[0], options(operation))
    case 'get':
      return target.get(keyAndValue(operation)[0])
    case 'batch':
      return applyBatch(target, operation)
    case 'parallel':
      return Promise.all(operation.ops.map((each) => apply(target, each)))
    default:
      throw new Error(`unknown operation ${operation.op}`)
  }
}

async function applyBatch(bee, { ops, end = 'flush' }) {
  const batch = bee.batch()
  for (const operation of ops) await apply(batch, operation)
  await batch[end]()
}

function keyAndValue(operation) {
  return 'k' in operation ? [operation.k, operation.v] : [bytes(operation.key), bytes(operation.value)]
}

function options({ cas }) {
  return cas === undefined ? {} : { cas: compareAndSwap[cas] }
}

/** Answer one question about the entries; with `version` as of that version of the bee. */
export async function answer(bee, query) {
  const view = query.version === undefined ? bee : bee.checkout(query.version)
  const target = openSub(view, query.sub)
  switch (query.q) {
    case 'version':
      return target.version
    case 'get':
      return entry(await target.get(bytes(query.key)))
    case 'peek':
      return entry(await target.peek(range(query.opts)))
    case 'range':
      return collect(target.createReadStream(range(query.opts)), entry)
    case 'history':
      return collect(target.createHistoryStream(query.opts), (each) => ({ type: each.type, ...entry(each) }))
    case 'diff':
      return collect(target.createDiffStream(query.right, range(query.opts)), (each) => ({
        left: entry(each.left),
        right: entry(each.right)
      }))
    case 'bySeq': {
      const { key, value } = await target.getBySeq(query.seq)
      return { key: hex(key), value: hex(value) }
    }
    default:
      throw new Error(`unknown question ${query.q}`)
  }
}

async function collect(stream, describe) {
  const found = []
  for await (const each of stream) found.push(describe(each))
  return found
}

function entry(node) {
  return node === null ? null : { seq: node.seq, key: hex(node.key), value: hex(node.value) }
}

function range(opts = {}) {
  const decoded = { ...opts }
  for (const bound of ['gt', 'gte', 'lt', 'lte']) if (bound in opts) decoded[bound] = bytes(opts[bound])
  return decoded
}
