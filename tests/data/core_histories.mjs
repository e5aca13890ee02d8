// Vectors of logs: what a core and the records of a store look like after every step of a history.

import { keyPair, showManifest } from './core_formats.mjs'
import { Hypercore } from '../interop/internals.mjs'
import { describeCore, describeNode, fill, hex, withStore } from '../interop/reference.mjs'

const texts = ['hello', '', 'world', 'x', 'hypercore', 'a'.repeat(40), 'b'.repeat(300), 'c', 'dd', 'eee', 'ffff', 'g', 'h', 'iiii']
export const blocks = [...texts, 'jjjjjj', 'k', 'l', 'mm', 'nnn', 'oooo'].map((text) => Buffer.from(text))

export async function histories() {
  return {
    blocks: blocks.map(hex),
    cores: await withStore(async (store) => {
      const cores = []
      for (const kind of kinds()) cores.push(await lifeOfCore(store, kind))
      return cores
    }),
    storage: await withStoppedClock(() => withStore(lifeOfStore))
  }
}

const signers = [{ publicKey: keyPair(1).publicKey }]

function kinds() {
  return [
    { name: 'v1-single', count: blocks.length, manifest: { version: 1, signers } },
    { name: 'v2-userdata', manifest: { userData: Buffer.from('hello'), signers } },
    { name: 'v0-single', manifest: { version: 0, signers } },
    { name: 'v1-custom-namespace', manifest: { signers: [{ ...signers[0], namespace: fill(9) }] } },
    { name: 'compat', key: keyPair(1).publicKey }
  ]
}

async function lifeOfCore(store, { name, count = 3, manifest, key }) {
  const core = store.get(key ? { key, keyPair: keyPair(1) } : { manifest, keyPair: keyPair(1) })
  await core.ready()
  const life = {
    name,
    seed: hex(fill(1)),
    key: hex(core.key),
    discoveryKey: hex(core.discoveryKey),
    compat: core.core.compat,
    manifest: showManifest(core.manifest),
    steps: []
  }
  for (const block of blocks.slice(0, count)) {
    await core.append(block)
    life.steps.push({ ...(await describeCore(core)), signable: hex(signable(core)) })
  }
  life.nodes = await storedNodes(core)
  await core.truncate(count - 1)
  life.afterTruncate = await describeCore(core)
  await core.append(['new', 'blocks'])
  life.afterTruncateAppend = await describeCore(core)
  life.nodesAfter = await storedNodes(core)
  await core.truncate(0, 9)
  life.afterTruncateZero = await describeCore(core)
  life.nodesAfterZero = await storedNodes(core)
  await core.close()
  return life
}

function signable(core) {
  const tree = core.core.state.createTreeBatch()
  if (core.core.compat) return tree.signableCompat(false)
  return tree.signable(core.manifest.version === 0 ? core.manifest.signers[0].namespace : core.key)
}

export async function storedNodes(core) {
  const nodes = []
  for await (const node of core.core.storage.createTreeNodeStream()) nodes.push(describeNode(node))
  return nodes.sort((a, b) => a.index - b.index)
}

async function withStoppedClock(run) {
  const { now } = Date
  Date.now = () => 1_700_000_000_000
  try {
    return await run()
  } finally {
    Date.now = now
  }
}

async function lifeOfStore(store) {
  const records = new RecordLog(store)
  const steps = []
  const step = async (label, run, details = () => ({})) => {
    const result = await run()
    steps.push({ label, ...details(result), ...(await records.changes()) })
    return result
  }
  const named = (core) => ({ key: hex(core.key) })
  const open = async (core) => {
    await core.ready()
    return core
  }

  await step('new-store', () => {})
  const a = await step('named-core', () => open(store.get({ name: 'a' })), named)
  await step('batch-of-three', () => a.append(['hello', 'world', 'x']))
  await step('name-with-zero-in-namespace', () => open(store.namespace('ns').get({ name: 'a\0b' })), named)
  await step('empty-block', () => a.append(''))
  await step('batch-of-two', () => a.append(['five', 'six']))
  const foreign = Hypercore.key({ signers: [{ publicKey: keyPair(5).publicKey }] })
  await step('foreign-core', () => open(store.get({ key: foreign })), named)
  const b = await step('core-of-key-pair', () => open(store.get({ keyPair: keyPair(7) })), named)
  await step('long-block', () => b.append(Buffer.alloc(300, 1)))
  await step('set-user-data', async () => {
    await a.setUserData('k', 'v')
    await a.setUserData('key\0with zero', 'text')
  })
  await step('clear-2-to-4', () => a.clear(2, 4), () => ({ contiguousLength: a.contiguousLength }))
  await step('truncate-to-5', () => a.truncate(5))
  await step('delete-user-data', () => a.setUserData('k', null))
  await step('truncate-to-0', () => a.truncate(0))
  return { primaryKey: hex(fill(1)), timestamp: Date.now(), steps }
}

/** Knows the records that were in the database at the last look. */
class RecordLog {
  constructor(store) {
    this.database = store.storage.db
    this.last = new Map()
  }

  async changes() {
    const records = new Map()
    for await (const { key, value } of this.database.iterator({ gte: Buffer.alloc(1), lt: Buffer.from([255]) })) {
      records.set(hex(key), shortened(value))
    }
    const put = {}
    for (const [key, value] of records) {
      if (JSON.stringify(this.last.get(key)) !== JSON.stringify(value)) put[key] = value
    }
    const del = [...this.last.keys()].filter((key) => !records.has(key))
    this.last = records
    return { put, del }
  }
}

/** A page of 4096 bytes is written without the zeros at its end. */
function shortened(value) {
  return value.length === 4096 ? { page4096: hex(value).replace(/(00)+$/, '') } : hex(value)
}
