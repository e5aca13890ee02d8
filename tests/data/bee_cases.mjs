// The histories in bee.json: what is done to each bee, and what is asked afterwards.

import { generate, random } from './lcg.mjs'

const raw = (text) => Buffer.from(text).toString('hex')
const put = (key, value, more) => ({ op: 'put', key: raw(key), value: value === null ? null : raw(value), ...more })
const del = (key, more) => ({ op: 'del', key: raw(key), ...more })
const batch = (ops, end) => ({ op: 'batch', ops, ...(end && { end }) })
const key = (number) => `k${String(number).padStart(3, '0')}`
const times = (count, make) => Array.from({ length: count }, (_, i) => make(i))

const ask = (q, more = {}) => ({ q, ...more })
const get = (text, more) => ask('get', { key: raw(text), ...more })
const opts = ({ gt, gte, lt, lte, ...rest } = {}) => {
  const bounds = Object.entries({ gt, gte, lt, lte }).filter(([, text]) => text !== undefined)
  return { ...Object.fromEntries(bounds.map(([name, text]) => [name, raw(text)])), ...rest }
}
const range = (limits, more) => ask('range', { opts: opts(limits), ...more })
const peek = (limits, more) => ask('peek', { opts: opts(limits), ...more })
const diff = (right, limits, more) => ask('diff', { right, opts: opts(limits), ...more })
const history = (given = {}, more) => ask('history', { opts: given, ...more })

function shuffled(count, seed) {
  const next = random(seed)
  const numbers = times(count, (i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = next(i + 1)
    ;[numbers[i], numbers[j]] = [numbers[j], numbers[i]]
  }
  return numbers
}

/** Puts and deletes of a random history; some keys are deleted more often than put. */
function mixed(seed, count, space, label) {
  const next = random(seed)
  return times(count, (i) => {
    const name = key(next(space))
    return next(10) < 4 ? del(name) : put(name, label + i)
  })
}

const puts = (count) => times(count, (i) => put(key(i), `v${i}`))

const reading = {
  name: 'puts-in-order',
  about: '60 new keys in ascending order',
  operations: puts(60),
  questions: [
    ask('version'),
    ask('version', { version: 12 }),
    ask('version', { version: 0 }),
    ...[key(0), key(30), key(59), 'zzz', ''].map((text) => get(text)),
    get(key(30), { version: 31 }),
    get(key(30), { version: 32 }),
    ...[
      {},
      { reverse: true, limit: 5 },
      { limit: 0 },
      { gt: key(10), lte: key(20) },
      { gte: key(10), lt: key(20) },
      { gte: 'k0105', lt: 'k0195' },
      { gt: key(10), lt: key(20), reverse: true },
      { gte: key(10), lte: key(20), reverse: true, limit: 3 },
      { gt: key(59) },
      { lt: key(0) },
      { gte: 'z' },
      { lte: 'a', reverse: true },
      { gt: key(30), gte: key(10), lt: key(33) },
      { lt: key(5), lte: key(8) }
    ].map((limits) => range(limits)),
    ...[0, 1, 12].map((version) => range({}, { version })),
    ...[{}, { reverse: true }, { gt: key(42) }, { gt: key(59) }, { lt: key(42), reverse: true }, { gte: 'k100' }].map((limits) => peek(limits)),
    ...[
      { limit: 3 },
      { reverse: true, limit: 3 },
      { gte: -2 },
      { gt: -2 },
      { gte: 5, lt: 8 },
      { gt: 5, lte: 8 },
      { gte: 5, lt: 8, reverse: true },
      { lte: -55 },
      { lt: 0 },
      { limit: 0 },
      { reverse: true, gte: 58 }
    ].map((given) => history(given)),
    diff(55),
    diff(1, { limit: 3 }),
    diff(6, {}, { version: 3 }),
    diff(50, { gt: key(40), lte: key(45) }, { version: 40 }),
    ...[1, 57].map((seq) => ask('bySeq', { seq }))
  ]
}

const shapes = [
  {
    name: 'puts-descending',
    about: '60 new keys in descending order',
    operations: puts(60).reverse(),
    questions: [range({ limit: 4 }), get(key(59))]
  },
  {
    name: 'puts-random-and-overwrites',
    about: '100 keys in random order, then 50 overwrites',
    operations: [
      ...shuffled(100, 1).map((number, i) => put(key(number), `a${i}`)),
      ...shuffled(100, 2).slice(0, 50).map((number, i) => put(key(number), `b${i}`))
    ],
    questions: [
      range({ gte: key(40), limit: 10 }),
      diff(130),
      diff(151, { gte: key(40), lt: key(60) }, { version: 101 }),
      diff(110, {}, { version: 130 }),
      get(key(10), { version: 101 })
    ]
  },
  {
    name: 'delete-ascending-to-empty',
    about: '60 puts, deletes in ascending order until the tree is empty (merges, a shrinking root, an empty root), then puts',
    operations: [...puts(60), ...times(60, (i) => del(key(i))), del('gone'), put('again', '1'), put('again2', '2'), del('again')],
    questions: [
      range(),
      range({}, { version: 121 }),
      get(key(59), { version: 121 }),
      get(key(59), { version: 120 }),
      history({ gte: 119 }),
      diff(61),
      diff(121, { limit: 5 }, { version: 61 })
    ]
  },
  {
    name: 'delete-descending-to-empty',
    about: '60 puts, deletes in descending order until the tree is empty',
    operations: [...puts(60), ...times(60, (i) => del(key(59 - i)))]
  },
  {
    name: 'delete-random',
    about: '140 random puts, 125 random deletes (borrows and merges on both sides and on two levels), 30 puts',
    operations: [
      ...shuffled(140, 3).map((number, i) => put(key(number), `v${i}`)),
      ...shuffled(140, 4).slice(0, 125).map((number) => del(key(number))),
      ...shuffled(140, 5).slice(0, 30).map((number, i) => put(key(number), `n${i}`))
    ],
    questions: [range(), range({ reverse: true, limit: 7 }), diff(141, { limit: 20 }), diff(230, {}, { version: 200 }), history({ gte: 260, lt: 270 })]
  },
  ...[6, 7, 8].map((seed) => ({
    name: `random-${seed}`,
    about: 'puts, overwrites and deletes (also of keys that are not there) in random order',
    operations: mixed(seed, 150, 40 * (seed - 5), `r${seed}-`),
    questions: [range(), history({ reverse: true, limit: 10 }), diff(50, { limit: 20 })]
  }))
]

const inBatches = [
  {
    name: 'batches',
    about: 'empty, dropped, overwriting itself, deletes, splits and merges inside one batch, single puts between',
    operations: [
      batch([put('b', '1'), put('a', '2')]),
      batch([put('c', '3')]),
      batch([]),
      batch([put('zz', 'dropped')], 'close'),
      batch([put('a', '4'), put('a', '5'), put('a', '6')]),
      batch([del('a'), put('a', '7'), del('b'), del('nope')]),
      batch([...puts(110), { op: 'get', key: raw(key(3)) }]),
      batch(shuffled(110, 9).slice(0, 70).map((number) => del(key(number)))),
      batch(mixed(10, 60, 120, 'x')),
      put('single', '1'),
      del(key(1)),
      batch([put('c', '8'), put('d', null), put('e', ''), del('c')])
    ],
    questions: [range(), get('d'), get('e'), get('c'), history({ gte: -12 }), diff(10, { limit: 15 })]
  },
  {
    name: 'batch-null-value-history',
    about: 'two puts of no value in one batch and one alone: the history calls the first one a deletion, get does not',
    operations: [batch([put('n1', null), put('n2', null)]), put('n3', null)],
    questions: [history(), get('n1'), get('n2'), get('n3')]
  },
  {
    name: 'batch-only-closed',
    about: 'a batch without an operation leaves nothing; a batch that is dropped leaves the header',
    operations: [batch([], 'flush'), batch([put('a', '1')], 'close')]
  },
  ...[11, 12].map((seed) => ({
    name: `random-batches-${seed}`,
    about: 'random batches of 1 to 25 operations, some dropped, with single operations between',
    operations: randomBatches(seed),
    questions: [range(), history({ reverse: true, limit: 10 })]
  }))
]

function randomBatches(seed) {
  const next = random(seed)
  return times(16, (i) => {
    const operations = mixed(seed * 100 + i, 1 + next(25), 60, `b${i}-`)
    if (next(4) === 0) return operations[0]
    return batch(operations, next(6) === 0 ? 'close' : 'flush')
  })
}

const never = { cas: 'never' }
const always = { cas: 'always' }
const changed = { cas: 'changed' }

const refusals = [
  {
    name: 'cas',
    about:
      'compare-and-swap: never, always, if changed; in a batch of a three-level tree a refused put leaves the inner nodes on ' +
      'its path marked as changed, so that the next accepted operation writes them again',
    operations: [
      ...puts(100),
      put(key(5), 'no', never),
      put(key(5), 'yes', always),
      put('new1', 'x', never),
      put(key(6), 'v6', changed),
      put(key(6), 'v6b', changed),
      del(key(7), never),
      del(key(7), always),
      del(key(7), always),
      batch([put(key(1), 'no', never), put(key(90), 'yes')]),
      batch([put(key(95), 'p'), put(key(1), 'no', never), put(key(96), 'q'), del(key(2), never), put(key(97), 'r')]),
      batch([put(key(1), 'no', never)]),
      put(key(99), 'end')
    ],
    questions: [get(key(5)), get('new1'), get(key(7))]
  },
  {
    name: 'always-duplicate-false',
    about: 'alwaysDuplicate: false: a put of an equal value writes nothing, with the same marks in a batch',
    options: { alwaysDuplicate: false },
    operations: [
      ...times(90, (i) => put(key(i), 'v')),
      put(key(3), 'v'),
      put(key(3), 'w'),
      put(key(3), 'w'),
      put(key(50), null),
      put(key(50), null),
      batch([put(key(10), 'v'), put(key(80), 'new'), put(key(80), 'new'), put(key(10), 'v'), put(key(11), 'z')])
    ]
  }
]

const lengths = [1, 127, 128, 300]

const bytesAndSubs = [
  {
    name: 'sizes',
    about: 'empty key, empty and no value, lengths around those that need one more byte',
    operations: [
      put('', 'empty key'),
      put('empty value', ''),
      put('no value', null),
      ...lengths.map((length, i) => put('ABCD'[i].repeat(length), 'a'.repeat(length))),
      put('long value', 'b'.repeat(16383)),
      put('longer value', 'c'.repeat(16384)),
      put('\0', '\0'),
      put('\0\0', ''),
      put('', '')
    ],
    questions: [
      get(''),
      get('empty value'),
      get('no value'),
      history({ limit: 3 }),
      range({ limit: 4 }),
      range({ gt: '', limit: 2 }),
      range({ gte: '', limit: 2 })
    ]
  },
  subs()
]

function subs() {
  const sub = [{ prefix: 'sub' }]
  const inner = [...sub, { prefix: 'in' }]
  const binary = [{ prefixHex: 'ff00' }]
  const slash = [{ prefix: 'p', sep: '2f' }]
  const last = [{ prefix: 'q', sep: 'ff' }]
  const nameless = [{ prefix: '' }]
  const hidden = 'without a lower bound the package leaves out the keys "" and "\\0" of a sub'
  return {
    name: 'subs',
    about: 'sub(): prefix and separator, nested, binary prefix, other separators, empty prefix',
    operations: [
      put('root', '1'),
      put('a', 's1', { sub }),
      put('b', 's2', { sub }),
      put('a', 'n1', { sub: inner }),
      { op: 'put', key: 'ffff', value: '01', sub: binary },
      put('x', 'y', { sub: slash }),
      put('e', 'f', { sub: nameless }),
      put('', 'empty', { sub }),
      put('\0', 'zero', { sub }),
      put('\0\0', 'zeros', { sub }),
      { op: 'put', key: 'ff', value: raw('last'), sub },
      del('b', { sub }),
      put('a', 'b', { sub: last })
    ],
    questions: [
      range(),
      ...[inner, binary, slash, nameless].map((path) => range({}, { sub: path })),
      range({}, { sub, differs: hidden }),
      range({ lt: 'b' }, { sub, differs: hidden }),
      range({}, { sub: last, differs: 'the package finds nothing below a separator of ff' }),
      range({ gte: 'a' }, { sub: last, differs: 'the package finds nothing below a separator of ff' }),
      range({ gte: 'a', lt: 'b' }, { sub: last }),
      range({ gte: '' }, { sub }),
      range({ gte: '', reverse: true }, { sub }),
      range({ gt: 'a' }, { sub }),
      ask('range', { opts: { gte: '', lte: 'ff' }, sub }),
      range({}, { sub, version: 3 }),
      get('a', { sub }),
      get('a', { sub: inner }),
      get('', { sub }),
      peek({ gt: '' }, { sub }),
      peek({ reverse: true }, { sub }),
      peek({}, { sub, differs: hidden }),
      history({}, { sub, differs: 'the package also shows the operations outside of the sub' }),
      diff(3, {}, { sub, differs: hidden }),
      diff(1, { gte: 'a' }, { sub }),
      ask('bySeq', { seq: 2, sub })
    ]
  }
}

const uselessDelete = [del('x'), put('a', 'b')]
const header = (name, metadata) => ({
  name: `header-${name}`,
  about: `the header block with ${name}, written by a delete of a key that is not there`,
  options: { metadata },
  operations: uselessDelete
})

const headers = [
  header('none', null),
  header('empty-metadata', {}),
  header('content-feed', { contentFeed: 'ab'.repeat(32) }),
  header('user-data', { userData: raw('hello user data') }),
  header('both', { contentFeed: '01'.repeat(32), userData: '02'.repeat(200) }),
  {
    name: 'del-on-empty',
    about: 'a delete in an empty bee writes the header and nothing else',
    operations: [del('x'), del('y')],
    questions: [ask('version'), range(), get('x')]
  }
]

const typed = (rows) => rows.map(([k, v]) => ({ op: 'put', k, v }))
const numbers = [0, 1, 12, 1.5, 0.1, 1e20, 1e21, 1e-6, 1e-7, -1.5e-10, 5e-324, 1.7976931348623157e308, 123456789012, 2 ** 53]
const escapes = ['\u2028 \x7f "q" \\ \n \t \b \f \r \u0001 \u001f', '\ud800 alone', 'a/b', 'ключ', '𝄞']
const objects = [{ a: 1 }, [1, 2, 3], { nested: { x: [null, false], ключ: '值' } }, { b: 1, 2: 2, a: 0, 1: 1, '01': 3 }, {}, []]

const encodings = [
  {
    name: 'enc-utf8-json',
    about: 'keyEncoding utf-8, valueEncoding json',
    options: { keyEncoding: 'utf-8', valueEncoding: 'json' },
    operations: typed([...numbers, ...escapes, ...objects, true, null, ''].map((value, i) => [`ключ${i}`, value]))
  },
  {
    name: 'enc-json-keys',
    about: 'keyEncoding json, valueEncoding utf-8',
    options: { keyEncoding: 'json', valueEncoding: 'utf-8' },
    operations: typed([[{ id: 1 }, 'one'], [[2], 'two'], ['three', 'три'], [4, '']])
  },
  {
    name: 'enc-hex-ascii',
    about: 'keyEncoding hex, valueEncoding ascii',
    options: { keyEncoding: 'hex', valueEncoding: 'ascii' },
    operations: typed([['00ff10', 'abc'], ['AB', 'é']])
  },
  {
    name: 'enc-base64-ucs2',
    about: 'keyEncoding base64, valueEncoding ucs2',
    options: { keyEncoding: 'base64', valueEncoding: 'ucs2' },
    operations: typed([['AAEC', 'hé'], ['/+8=', '𝄞']])
  },
  {
    name: 'enc-ndjson',
    about: 'valueEncoding ndjson',
    options: { keyEncoding: 'utf8', valueEncoding: 'ndjson' },
    operations: typed([['a', { x: 1 }], ['b', 'y']])
  },
  {
    name: 'enc-none-strings',
    about: 'no encodings: strings are written as utf-8',
    operations: typed([['é', 'ü'], ['a', 'b']])
  },
  {
    name: 'enc-parallel',
    about: 'puts that are started together are applied in the order of the calls',
    options: { keyEncoding: 'utf-8', valueEncoding: 'utf-8' },
    operations: [{ op: 'parallel', ops: typed(times(30, (i) => [`p${(i * 7) % 30}`, `v${i}`])) }]
  }
]

const big = [
  { seed: 987654321, count: 4000, space: 1500 },
  { seed: 13579, batches: 30, perBatch: 200, space: 3000 }
].map((generator) => ({
  name: generator.batches ? 'big-batches' : 'big-mixed',
  about: 'operations of the generator that README.md describes; of the blocks there is a digest only',
  generator,
  operations: generate(generator, { put, del, batch })
}))

export const cases = [reading, ...shapes, ...inBatches, ...refusals, ...bytesAndSubs, ...headers, ...encodings, ...big]
