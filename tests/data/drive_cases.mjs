// The histories in drive.json: what is done to each drive, and what is asked afterwards.

const raw = (text) => ({ hex: Buffer.from(text).toString('hex') })
const gen = (length, a, b) => ({ gen: [length, a, b] })
const dataOf = (data) => (typeof data === 'string' ? raw(data) : data)
const put = (path, data, more) => ({ op: 'put', path, data: dataOf(data), ...more })
const symlink = (path, link, more) => ({ op: 'symlink', path, link, ...more })
const del = (path) => ({ op: 'del', path })
const putEntry = (path, entry) => ({ op: 'putEntry', path, entry })
const write = (path, chunks, more) => ({ op: 'write', path, chunks: chunks.map(dataOf), ...more })
const batch = (ops, end) => ({ op: 'batch', ops, ...(end && { end }) })
const times = (count, make) => Array.from({ length: count }, (_, i) => make(i))

const ask = (q, more = {}) => ({ q, ...more })
const get = (path, opts, more) => ask('get', { path, ...(opts && { opts }), ...more })
const entry = (path, opts) => ask('entry', { path, ...(opts && { opts }) })
const list = (folder, opts, more) => ask('list', { ...(folder && { folder }), ...(opts && { opts }), ...more })
const read = (path, opts, more) => ask('read', { path, ...(opts && { opts }), ...more })

const metadata = {
  name: 'ключ',
  list: [1, 2.5, null, true],
  nested: { q: '"\\\n' },
  mode: 0o644,
  10: 'ten',
  9: 'nine'
}

const operations = [
  del('/nothing'),
  put('/hello.txt', 'hello world'),
  put('/empty', ''),
  put('no-slash', 'x'),
  put('/dir/a.txt', 'a', { executable: true }),
  put('/dir/b.txt', 'bb', { metadata }),
  put('/dir/sub/deep/c.txt', 'ccc', { metadata: 'string' }),
  symlink('/link', '/hello.txt'),
  symlink('/dir/rel', '../hello.txt', { metadata: 5 }),
  symlink('/loop1', '/loop2'),
  symlink('/loop2', '/loop1'),
  symlink('/dangling', '/nowhere'),
  put('/b64k', gen(65536, 7, 3)),
  put('/b64k1', gen(65537, 5, 1)),
  put('/big', gen(1179748, 3, 11)),
  put('/hello.txt', 'hello again'),
  del('/dir/a.txt'),
  del('/not-there'),
  put('/', 'bad'),
  put('/..', 'bad'),
  put('/a/../b/./c//d/', 'norm'),
  put('\\win\\path', 'w'),
  put('C:\\x\\y', 'cxy'),
  write('/stream', ['one', 'two two', '', 'three']),
  write('/stream-empty', []),
  write('/stream-meta', [gen(70000, 1, 0), 'end'], { executable: true, metadata: { a: 1 } }),
  batch([
    put('/batch/1', 'b1'),
    put('/batch/2', 'b2'),
    del('/batch/1'),
    symlink('/batch/l', '2'),
    put('/batch/2', 'b2b')
  ]),
  batch([put('/never', 'blob stays, entry does not')], 'close'),
  put('/я/файл', 'unicode'),
  put('/a/x', '1'),
  put('/a0', '2'),
  put('/foo', '3'),
  put('/foo-bar', '4'),
  put('/foo/bar', '5')
]

const past = 'the reference reads on in the next blob'
const once = 'the reference shows a name twice, and leaves out what sorts right behind a folder'

const questions = [
  ask('version'),
  ...['/hello.txt', 'hello.txt', './hello.txt', '/dir/../hello.txt', '/empty', '/missing', '/link'].map((path) => get(path)),
  ...['/big', '/b64k1', '/stream', '/stream-empty', '/dir/b.txt', '/never', '/batch/2', '/я/файл'].map((path) => get(path)),
  ...['/link', '/dir/rel', '/loop1', '/dangling'].map((path) => get(path, { follow: true })),
  get('/'),
  get('/big', { start: 65530, length: 20 }),
  get('/big', { start: 65530, end: 65540 }),
  get('/big', { start: 1179700 }),
  get('/hello.txt', { length: 0 }),
  get('/hello.txt', { start: 6, length: 100 }, { differs: past }),
  get('/hello.txt', { end: 4 }),
  ...['/hello.txt', '/link', '/dir/b.txt', '/dir/a.txt', '/missing', '/empty', '/stream-meta'].map((path) => entry(path)),
  ...['/batch/l', '/dir'].map((path) => entry(path)),
  ...['/link', '/batch/l', '/dangling', '/loop1'].map((path) => entry(path, { follow: true })),
  ...['/hello.txt', '/dir', '/link', '/missing'].map((path) => ask('exists', { path })),
  ...[undefined, '/', '/dir', 'dir/', '/missing', '/hello.txt'].map((folder) => list(folder)),
  list('/', { recursive: false }, { differs: once }),
  list('/dir', { recursive: false }),
  list('/', { ignore: '/dir' }),
  list('/', { ignore: ['dir/sub', '/foo'] }),
  list('/dir', { recursive: false, ignore: ['/dir/sub', '/a'] }),
  list('/', { recursive: false, ignore: ['/foo', '/a'] }, { differs: once }),
  list('/', { limit: 2 }),
  list('/', { reverse: true, limit: 2 }),
  ask('readdir', { differs: once }),
  ask('readdir', { folder: '/', differs: once }),
  ...['/dir', '/foo', '/nope'].map((folder) => ask('readdir', { folder })),
  ask('entries'),
  ask('entries', { range: { gt: '/dir/', lt: '/dir0' } }),
  ask('entries', { range: { gte: '/foo' }, opts: { limit: 2 } }),
  ask('diff', { right: 5, folder: '/' }),
  ask('diff', { right: 5, folder: '/dir' }),
  ask('diff', { version: 4, right: 12, folder: '/' }),
  ask('diff', { right: 1 }),
  ...[3, 2, 1].map((version) => get('/hello.txt', undefined, { version })),
  list(undefined, undefined, { version: 6 }),
  ask('version', { version: 6 }),
  ask('blobsLength'),
  ...[5, 1].map((at) => ask('blobsLength', { at })),
  read('/stream'),
  read('/big', { start: 65530, length: 20 }),
  read('/missing'),
  read('/link', undefined, { differs: 'a link has no data; the reference streams none' }),
  read('/empty'),
  read('/hello.txt', { start: 20 }, { differs: 'a range outside of the file is an error' })
]

const many = times(60, (i) => (i * 37) % 60)
const name = (number) => `/many/${String(number).padStart(2, '0')}.bin`

const fill = (value) => Buffer.alloc(32, value).toString('hex')

/** With hyperdrive 13 and corestore 7, unless they say otherwise. */
export const cases = [
  { name: 'v1', about: 'all kinds of operations and questions', primaryKey: fill(9), operations, questions },
  {
    name: 'v1-namespace',
    about: 'many puts and deletes, in a namespace of the store',
    primaryKey: fill(1),
    namespace: 'my-ns',
    operations: [
      ...many.map((number, i) => put(name(number), gen(20 + i, i + 1, i))),
      ...times(25, (i) => del(name((i * 7 + 3) % 60)))
    ],
    questions: [list(), ask('diff', { right: 30 }), ask('blobsLength')]
  },
  {
    name: 'v1-dedup',
    about: 'streams that store equal pieces once',
    primaryKey: fill(2),
    operations: [
      write('/dd', ['aaaa', 'bbbb', 'aaaa', 'cccc'], { dedup: true }),
      write('/dd', ['bbbb', 'new!', 'aaaa'], { dedup: true }),
      write('/dd2', ['aaaa'], { dedup: true }),
      put('/plain', 'aaaa'),
      write('/plain', ['aaaa', 'zz'], { dedup: true }),
      write('/long', times(300, (i) => `piece ${(i * i) % 97}`), { dedup: true })
    ],
    questions: [
      ...['/dd', '/dd2', '/plain', '/long'].map((path) => get(path)),
      entry('/dd'),
      get('/dd', { start: 2, length: 7 }),
      read('/dd'),
      get('/dd', { start: 4, end: 9 })
    ]
  },
  {
    name: 'v1-put-entry',
    about: 'entries as they are given, with their own order of keys',
    primaryKey: fill(3),
    operations: [
      put('/f', 'f'),
      putEntry('/a', {}),
      putEntry('/b', {
        metadata: [1],
        blob: { byteOffset: 0, blockOffset: 0, blockLength: 1, byteLength: 1 },
        linkname: '/f',
        executable: true
      })
    ],
    questions: [get('/b'), get('/a'), entry('/a')]
  },
  {
    name: 'v1-encrypted',
    about: 'both cores encrypted; rawBlocks are the stored ones',
    primaryKey: fill(9),
    encryptionKey: fill(5),
    operations: [put('/a', 'secret'), put('/b', gen(100, 7, 3)), put('/c', gen(65541, 7, 3)), del('/a')],
    questions: [get('/b'), entry('/c'), get('/c', { start: 65530, length: 8 })]
  },
  {
    name: 'compat',
    about: 'hyperdrive 11 and corestore 6: compat cores, and the header names that of the blobs',
    old: {},
    primaryKey: fill(9),
    operations,
    questions
  },
  {
    name: 'old-version-0',
    about: 'hyperdrive 11 and corestore 6 with manifests of version 0',
    old: { compat: false, manifestVersion: 0 },
    primaryKey: fill(9),
    operations: operations.slice(0, 8),
    questions: []
  },
  {
    name: 'old-version-1',
    about: 'hyperdrive 11 and corestore 6 with manifests of version 1',
    old: { compat: false, manifestVersion: 1 },
    primaryKey: fill(9),
    operations: operations.slice(0, 8),
    questions: []
  },
  {
    name: 'compat-namespace',
    about: 'as compat, in a namespace of the store',
    old: {},
    primaryKey: fill(1),
    namespace: 'my-ns',
    operations: operations.slice(0, 8),
    questions: []
  }
]

export const paths = [
  ...['', '/', '.', '..', '/..', 'a', 'a/', '/a', '//a//b/', './a', 'a/./b/../c', 'a/../..', '/a/..', '\\a\\b', 'a\\b'],
  ...['C:\\a\\b', 'c:/x', 'C:', 'C:/', 'file:///a/b', 'file:a', 'http://host/a/b', 'http://host', 'ab:/x/y/z', ':/x'],
  ...['a:b/c', 'a b', 'é/ü', '/a/b/../../c', '...', 'a/.../b', ' ', '/.hidden', '~', 'a/..', 'x/../..', '/a\n/..b/..'],
  ...['🫐:/a/b/c', '/C:/a', '\\\\host\\a', 'a//../b', '/./..', '/a/...', '/é', '\0', '/a\0b']
]

export const resolutions = [
  ['/a/b', '../c'],
  ['/a/b', 'c'],
  ['/a/b', '/c'],
  ['/a', '..'],
  ['/a', '../..'],
  ['/a/link', '../hello.txt'],
  ['/a', ''],
  ['/dir/rel', './x'],
  ['/dir', 'C:\\x']
]
