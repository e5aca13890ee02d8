// What the replication tests can have the JavaScript packages do, by the name of the command.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { codecs, Hypercore, manifestCodec } from './internals.mjs'
import { bytes, Corestore, hex, Hyperbee, Hyperdrive } from './reference.mjs'

const require = createRequire(import.meta.url)
const Localdrive = require('localdrive')
const OldCorestore = require('corestore6')
const OldHypercore = createRequire(require.resolve('corestore6'))('hypercore')

const packages = {
  10: { Corestore: OldCorestore, Hypercore: OldHypercore },
  11: { Corestore, Hypercore }
}

// What commands name with a number.
const things = new Map()
const connections = new Set()

function keep(thing, about = {}) {
  things.set(things.size + 1, thing)
  return { handle: things.size, ...about }
}

/** The block that is appended as number `index` where only a size is given. */
export const block = (index, size) => Buffer.alloc(size, `${index}:`)

export const commands = {
  // --- stores and cores ---------------------------------------------------------------------------

  async openStore({ version, path }) {
    const store = new packages[version].Corestore(path)
    await store.ready()
    return keep(store)
  },

  /** Open a core of a store. */
  openCore: ({ on, options }) => opened(things.get(on).get(coreOptions(options))),

  /** Open a core in a directory of its own. */
  openAlone({ version, path, options }) {
    const { key, ...rest } = coreOptions(options)
    return opened(new packages[version].Hypercore(path, key, rest))
  },

  close: ({ on }) => things.get(on).close(),

  /** Close everything, and tell which errors ended connections. */
  async closeAll() {
    const errors = [...connections].map(({ error }) => error).filter(Boolean)
    for (const { socket } of connections) socket.destroy()
    for (const thing of [...things.values()].reverse()) await thing.close?.()
    connections.clear()
    things.clear()
    return errors
  },

  /** Append blocks that are given, or of the given sizes. */
  async append({ on, blocks, sizes }) {
    const core = things.get(on)
    await core.append(blocks?.map(bytes) ?? sizes.map((size, i) => block(core.length + i, size)))
    return stateOf(core)
  },

  async truncate({ on, length }) {
    await things.get(on).truncate(length)
    return stateOf(things.get(on))
  },

  /** Fill a core whose manifest promises blocks with those of another core. */
  async copyPrologue({ on, source }) {
    const { core } = things.get(source)
    await things.get(on).core.copyPrologue(core.state ?? core)
  },

  clear: ({ on, start, end }) => things.get(on).clear(start, end),

  state: ({ on }) => stateOf(things.get(on)),

  /** Wait until the core is in a state. */
  async until({ on, state }) {
    const isReached = (now) => Object.entries(state).every(([name, value]) => now[name] === value)
    while (!isReached(stateOf(things.get(on)))) await sleep(2)
  },

  // --- reading ------------------------------------------------------------------------------------

  async update({ on }) {
    await things.get(on).update({ wait: true })
    return stateOf(things.get(on))
  },

  download: ({ on, ...range }) => things.get(on).download(range).done(),

  get: async ({ on, index }) => hex(await things.get(on).get(index)),

  /** A digest over blocks, which are fetched if they are not there; see `digest` in replication_blocks.py. */
  async digest({ on, start, end }) {
    const hash = createHash('sha256')
    for (let index = start; index < end; index++) {
      const value = await things.get(on).get(index)
      hash.update(`${value.length}:`).update(value)
    }
    return hash.digest('hex')
  },

  /** Tell which blocks of a range are stored. */
  async stored({ on, start, end }) {
    const indexes = []
    for (let index = start; index < end; index++) if (await things.get(on).has(index)) indexes.push(index)
    return indexes
  },

  seek: ({ on, offset }) => things.get(on).seek(offset),

  /** The digest and the length of what a byte stream brings. */
  async byteStream({ on, byteOffset, byteLength }) {
    const hash = createHash('sha256')
    let length = 0
    for await (const piece of things.get(on).createByteStream({ byteOffset, byteLength })) {
      hash.update(piece)
      length += piece.length
    }
    return { length, digest: hash.digest('hex') }
  },

  // --- bees ---------------------------------------------------------------------------------------

  openBee: ({ on, options }) => keep(new Hyperbee(things.get(on), options)),

  async put({ on, entries }) {
    const batch = things.get(on).batch()
    for (const [key, value] of entries) await batch.put(key, value)
    await batch.flush()
  },

  async entries({ on, range }) {
    const entries = []
    for await (const { key, value } of things.get(on).createReadStream(range)) entries.push([key, value])
    return entries
  },

  entry: async ({ on, key }) => (await things.get(on).get(key))?.value,

  // --- drives -------------------------------------------------------------------------------------

  async openDrive({ on, key, options }) {
    const drive = new Hyperdrive(things.get(on), bytes(key), coreOptions(options))
    await drive.ready()
    return keep(drive, { key: hex(drive.key) })
  },

  /** Make a folder on disk equal to a drive, or a drive equal to a folder; tell how many paths changed. */
  async mirrorTo({ on, folder }) {
    await things.get(on).core.update({ wait: true })
    return mirror(things.get(on), new Localdrive(folder))
  },

  mirrorFrom: ({ on, folder }) => mirror(new Localdrive(folder), things.get(on)),

  // --- peers --------------------------------------------------------------------------------------

  /** Accept connections and replicate a store or a core on them. */
  async serve({ on, isInitiator }) {
    const server = net.createServer((socket) => replicate(things.get(on), socket, isInitiator))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return keep(server, { port: server.address().port })
  },

  /** Replicate a store or a core with a server. */
  async connect({ on, port, isInitiator }) {
    const socket = net.connect(port, '127.0.0.1')
    const connection = replicate(things.get(on), socket, isInitiator)
    await connection.opened
    return keep(connection)
  },

  disconnect({ on }) {
    things.get(on).socket.destroy()
    return things.get(on).ended
  },

  isOpen: ({ on }) => !things.get(on).socket.destroyed,

  /** Wait until a connection ends. */
  ended: ({ on }) => things.get(on).ended,

  /** Wait until the core has a number of peers. */
  async peers({ on, count }) {
    while (things.get(on).peers.length !== count) await sleep(2)
  },

  /** From now on count the blocks that are uploaded; `uploads` tells them. */
  countUploads({ on }) {
    const indexes = []
    things.get(on).on('upload', (index) => indexes.push(index))
    return keep(indexes)
  },

  /** Wait until a number of blocks is stored. */
  async untilStored({ on, count, length }) {
    while ((await commands.stored({ on, start: 0, end: length })).length < count) await sleep(2)
  },

  uploads: ({ on }) => things.get(on).splice(0),

  allowPush: ({ on }) => things.get(on).core.replicator.setAllowPush(true),

  push: ({ on, index }) => things.get(on).core.replicator.push(index),

  /** Wait until every peer of a core takes blocks that it did not ask for. */
  async pushable({ on }) {
    while (!things.get(on).peers.every((peer) => peer.remoteAllowPush)) await sleep(2)
  },

  // --- extensions ---------------------------------------------------------------------------------

  /** Listen to an extension, and answer every message `text` with `answer text` if an answer is given. */
  openExtension({ on, name, answer, encoding = 'utf-8' }) {
    const heard = []
    const extension = things.get(on).registerExtension(name, {
      encoding: encoding === 'buffer' ? codecs.buffer : encoding,
      onmessage(text, peer) {
        heard.push(text)
        if (answer) extension.send(`${answer} ${text}`, peer)
      }
    })
    return keep({ extension, heard })
  },

  broadcast: ({ on, text }) => things.get(on).extension.broadcast(text),

  /** Wait for a number of messages, and tell them. */
  async heard({ on, count }) {
    const { heard } = things.get(on)
    while (heard.length < count) await sleep(2)
    return heard
  }
}

async function mirror(source, target) {
  let changes = 0
  for await (const _ of source.mirror(target)) changes++
  return changes
}

async function opened(core) {
  await core.ready()
  return keep(core, { key: hex(core.key), writable: core.writable })
}

const coreOptions = ({ name, key, keyPair, manifest, encryptionKey, compat } = {}) => ({
  ...(name && { name }),
  ...(key && { key: bytes(key) }),
  ...(keyPair && { keyPair: { publicKey: bytes(keyPair.publicKey), secretKey: bytes(keyPair.secretKey) } }),
  ...(manifest && { manifest: codecs.decode(manifestCodec, bytes(manifest)) }),
  ...(encryptionKey && { encryptionKey: bytes(encryptionKey) }),
  ...(compat !== undefined && { compat })
})

function stateOf({ length, byteLength, fork, contiguousLength }) {
  return { length, byteLength, fork, contiguousLength }
}

function replicate(source, socket, isInitiator) {
  const protocol = source.replicate(isInitiator)
  const connection = { socket, opened: protocol.noiseStream.opened, error: null }
  connection.ended = new Promise((resolve) => socket.on('close', resolve))
  connections.add(connection)
  const fail = (error) => {
    // A connection that is cut is none of the protocol's errors.
    if (!error.syscall && error.message !== 'Writable stream closed') connection.error ??= error.message
  }
  protocol.on('error', fail)
  protocol.noiseStream.on('error', fail)
  socket.on('error', fail)
  socket.setNoDelay(true)
  socket.pipe(protocol).pipe(socket)
  return connection
}
