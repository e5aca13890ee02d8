// The JavaScript side of the interop tests: one JSON command a line on stdin, one JSON answer a line on stdout.

import { createInterface } from 'node:readline'
import { answer, apply } from './bee_operations.mjs'
import { liveCore } from './core_operations.mjs'
import { readDrive, writeDrive } from './drives.mjs'
import { signTogether } from './multisig.mjs'
import { bytes, describeCore, hex, Hyperbee, readBlocks, withStore } from './reference.mjs'

const commands = {
  /** Open a core and do operations to it; tell the answer to each. */
  liveCore,

  /** Sign blocks of a core with several key pairs; tell the signature. */
  signTogether,

  /** Append to cores of one store; tell each core's keys and its state after every append (a list is a batch). */
  writeCores: ({ primaryKey, cores }) =>
    withStore((store) => inTurn(cores, (each) => writeCore(store, each)), { primaryKey: bytes(primaryKey) }),

  /** Do operations to a new bee; tell its blocks, and its length after every operation. */
  writeBee: ({ options, operations }) =>
    withBee(options, async (bee, core) => {
      const lengths = await inTurn(operations, async (operation) => {
        await apply(bee, operation)
        return core.length
      })
      return { lengths, blocks: await readBlocks(core) }
    }),

  /** Put the blocks of a bee into a core as they are, and answer questions to that bee. */
  readBee: ({ blocks, queries, options }) =>
    withBee(options, async (bee, core) => {
      await core.append(blocks.map(bytes))
      return inTurn(queries, (query) => answer(bee, query))
    }),

  /** Put the blocks of a bee into a core as they are, forget those that are not linked, tell which are left. */
  clearBee: ({ blocks }) =>
    withBee({}, async (bee, core) => {
      await core.append(blocks.map(bytes))
      await bee.clearUnlinked()
      return inTurn(blocks, (_, index) => core.has(index))
    }),

  /** Do operations to a new drive; tell all blocks of both cores, and their lengths after every operation. */
  writeDrive,

  /** Put the blocks of a drive into cores as they are, and answer questions to that drive. */
  readDrive,

  /** As readBee, but tell all entries with their keys and values decoded. */
  decodeBee: ({ blocks, options }) =>
    withBee(options, async (bee, core) => {
      await core.append(blocks.map(bytes))
      const entries = []
      for await (const { seq, key, value } of bee.createReadStream()) entries.push({ seq, key, value })
      return entries
    })
}

async function writeCore(root, { namespace, name, appends }) {
  const store = namespace.reduce((parent, text) => parent.namespace(text), root)
  const core = store.get({ name })
  await core.ready()
  const states = await inTurn(appends, async (blocks) => {
    await core.append(Array.isArray(blocks) ? blocks.map(bytes) : bytes(blocks))
    return describeCore(core)
  })
  return {
    key: hex(core.key),
    id: core.id,
    discoveryKey: hex(core.discoveryKey),
    publicKey: hex(core.keyPair.publicKey),
    states,
    blocks: await readBlocks(core)
  }
}

function withBee(options, use) {
  return withStore(async (store) => {
    const core = store.get({ name: 'bee' })
    const bee = new Hyperbee(core, options)
    await bee.ready()
    return use(bee, core)
  })
}

async function inTurn(items, run) {
  const results = []
  for (const [index, item] of items.entries()) results.push(await run(item, index))
  return results
}

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...parameters } = JSON.parse(line)
  let reply
  try {
    reply = { result: await commands[command](parameters) }
  } catch (error) {
    reply = { error: error.stack }
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}
