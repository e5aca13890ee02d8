// The JavaScript side of the comparison of downloads: does one and prints how long it took. replication.py is its
// counterpart, and starts the other two.
//
//     node replication.mjs OPERATION DIRECTORY BLOCKS BLOCK_SIZE
//     node replication.mjs serve DIRECTORY BLOCKS BLOCK_SIZE            prints port and key, ends with its stdin
//     node replication.mjs fetch DIRECTORY BLOCKS BLOCK_SIZE PORT KEY   prints what an operation prints

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import SecretStream from '@hyperswarm/secret-stream'
import Corestore from 'corestore'

const HOST = '127.0.0.1'
const BATCH = 100
const PRIMARY_KEY = Buffer.alloc(32, 1) // as in replication.py

const [operation, directory, ...rest] = process.argv.slice(2)
const [count, blockSize] = rest.slice(0, 2).map(Number)

/** A store of `cores` cores, `blocks` blocks each, that whoever connects can download. */
async function startServer(cores, blocks) {
  const store = new Corestore(join(directory, 'creator'), { primaryKey: PRIMARY_KEY, unsafe: true })
  const block = Buffer.alloc(blockSize, 'a')
  const keys = []
  for (let i = 0; i < cores; i++) {
    const core = store.get({ name: `core ${i}` })
    await core.ready()
    for (let done = 0; done < blocks; done += BATCH) {
      await core.append(Array(Math.min(BATCH, blocks - done)).fill(block))
    }
    keys.push(core.key)
  }
  const server = net.createServer((socket) => replicate(store, socket, false))
  server.listen(0, HOST)
  await once(server, 'listening')
  return { store, server, keys, port: server.address().port }
}

function replicate(store, socket, isInitiator) {
  socket.setNoDelay(true)
  const stream = new SecretStream(isInitiator, socket)
  stream.on('error', () => {})
  store.replicate(stream)
  return stream
}

async function stopServer({ store, server }) {
  server.close()
  await store.close()
}

const openReader = (number) => new Corestore(join(directory, `reader ${number}`))

/** Open copies of all cores, connect, and read something of them. */
async function fetchCores(store, port, keys, read) {
  const copies = keys.map((key) => store.get({ key }))
  await Promise.all(copies.map((copy) => copy.ready()))
  const stream = replicate(store, net.connect(port, HOST), true)
  await Promise.all(copies.map(read))
  return { copies, stream }
}

const downloadCopy = (blocks) => (copy) => copy.download({ start: 0, end: blocks }).done()

const streamCopy = (blocks) => async (copy) => {
  let seen = 0
  for await (const _ of copy.createReadStream({ end: blocks })) seen++
  if (seen !== blocks) throw new Error(`the stream ended behind ${seen} blocks`)
}

async function describe(copies) {
  const described = []
  for (const core of copies) {
    const treeHash = (await core.treeHash()).toString('hex')
    const { length, contiguousLength, byteLength } = core
    described.push({ length, contiguousLength, byteLength, treeHash })
  }
  return described
}

/** Time the readers, which do the same at once. */
async function timeReaders(readers, port, keys, read) {
  const stores = Array.from({ length: readers }, (_, number) => openReader(number))
  await Promise.all(stores.map((store) => store.ready()))
  const start = process.hrtime.bigint()
  const fetched = await Promise.all(stores.map((store) => fetchCores(store, port, keys, read)))
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const outcome = await describe(fetched.flatMap(({ copies }) => copies))
  for (const { stream } of fetched) stream.destroy() // else the process would not end before its server's
  await Promise.all(stores.map((store) => store.close()))
  return { seconds, outcome }
}

async function inOneProcess({ cores = 1, readers = 1, how = downloadCopy }) {
  const blocks = Math.floor(count / cores / readers)
  const server = await startServer(cores, blocks)
  const result = await timeReaders(readers, server.port, server.keys, how(blocks))
  await stopServer(server)
  return result
}

async function inTwoProcesses() {
  const server = await startServer(1, count)
  const [key] = server.keys
  const script = fileURLToPath(import.meta.url)
  const command = [script, 'fetch', directory, count, blockSize, server.port, key.toString('hex')]
  const client = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(client.stdout), 'line')
  await stopServer(server)
  return JSON.parse(line)
}

async function serveUntilEnd() {
  const server = await startServer(1, count)
  print({ port: server.port, key: server.keys[0].toString('hex') })
  process.stdin.resume()
  await once(process.stdin, 'end')
  await stopServer(server)
}

function fetchFrom(port, key) {
  return timeReaders(1, port, [Buffer.from(key, 'hex')], downloadCopy(count))
}

function print(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

const operations = {
  download: () => inOneProcess({}),
  download_stream: () => inOneProcess({ how: streamCopy }),
  download_50_cores: () => inOneProcess({ cores: 50 }),
  download_20_readers: () => inOneProcess({ readers: 20 }),
  download_from_node: inTwoProcesses,
  serve_node: inTwoProcesses,
  serve: serveUntilEnd,
  fetch: () => fetchFrom(Number(rest[2]), rest[3])
}

if (!(operation in operations)) throw new Error(`replication.mjs has no operation ${operation}`)
const result = await operations[operation]()
if (result) print(result)
