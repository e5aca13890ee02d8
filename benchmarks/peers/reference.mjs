// The JavaScript side of the comparison: does one operation and prints how long it took. ours.py is its counterpart.
//
//     node reference.mjs OPERATION DIRECTORY BLOCKS BLOCK_SIZE

import Corestore from 'corestore'
import Hyperbee from 'hyperbee'
import Hyperdrive from 'hyperdrive'

const BATCH = 100
const STRIDE = 7919 // as in ours.py

const [operation, directory, ...numbers] = process.argv.slice(2)
const [count, blockSize] = numbers.map(Number)
const block = Buffer.alloc(blockSize, 'a')
const value = 'a'.repeat(blockSize)

let seconds = null

async function timed(run) {
  const start = process.hrtime.bigint()
  const result = await run()
  seconds = Number(process.hrtime.bigint() - start) / 1e9
  return result
}

async function withCore(use) {
  const store = new Corestore(directory, { primaryKey: Buffer.alloc(32, 1), unsafe: true })
  const core = store.get({ name: 'core' })
  await core.ready()
  const result = await use(core)
  await store.close()
  return result
}

async function describe(core) {
  return { length: core.length, byteLength: core.byteLength, treeHash: (await core.treeHash()).toString('hex') }
}

async function appendAll(core) {
  for (let i = 0; i < count; i++) await core.append(block)
}

async function appendBatches(core) {
  for (let done = 0; done < count; done += BATCH) {
    await core.append(Array(Math.min(BATCH, count - done)).fill(block))
  }
}

async function getBlocks(core) {
  let bytes = 0
  for (let i = 0; i < count; i++) bytes += (await core.get(i)).length
  return bytes
}

/** Time `read` on a core that was filled, closed and opened again; it returns the number of bytes read. */
async function reopened(read) {
  await withCore(appendBatches)
  return withCore(async (core) => ({ bytesRead: await timed(() => read(core)), ...(await describe(core)) }))
}

const openBee = (core) => new Hyperbee(core, { keyEncoding: 'utf-8', valueEncoding: 'utf-8' })

async function putAll(bee) {
  for (let i = 0; i < count; i++) await bee.put(`key${i}`, value)
}

async function putBatches(bee) {
  for (let done = 0; done < count; done += BATCH) {
    const batch = bee.batch()
    for (let i = done; i < Math.min(done + BATCH, count); i++) await batch.put(`key${i}`, value)
    await batch.flush()
  }
}

async function getAll(bee) {
  let characters = 0
  for (let i = 0; i < count; i++) characters += (await bee.get(`key${i}`)).value.length
  return characters
}

async function getShuffled(bee) {
  let characters = 0
  for (let i = 0; i < count; i++) characters += (await bee.get(`key${(i * STRIDE) % count}`)).value.length
  return characters
}

/** Time `read` on a bee that was filled, closed and opened again; it returns the number of characters read. */
async function reopenedBee(read) {
  await withCore((core) => putBatches(openBee(core)))
  return withCore(async (core) => {
    const bee = openBee(core)
    await bee.ready()
    return { charactersRead: await timed(() => read(bee)), ...(await describe(core)) }
  })
}

/** Run `use(drive)` on the drive; the same one every time. */
async function withDrive(use) {
  const drive = new Hyperdrive(new Corestore(directory, { primaryKey: Buffer.alloc(32, 1), unsafe: true }))
  await drive.ready()
  const result = await use(drive)
  await drive.close()
  return result
}

async function describeDrive(drive) {
  const blobs = (await drive.getBlobs()).core
  return { blobsTreeHash: (await blobs.treeHash()).toString('hex'), ...(await describe(drive.core)) }
}

async function putFiles(drive) {
  for (let i = 0; i < count; i++) await drive.put(`/file${i}`, block)
}

async function putFileBatches(drive) {
  for (let done = 0; done < count; done += BATCH) {
    const batch = drive.batch()
    for (let i = done; i < Math.min(done + BATCH, count); i++) await batch.put(`/file${i}`, block)
    await batch.flush()
  }
}

async function getFiles(drive) {
  let bytes = 0
  for (let i = 0; i < count; i++) bytes += (await drive.get(`/file${i}`)).length
  return bytes
}

/** Time `read` on a drive that was filled, closed and opened again; it returns how much it read. */
async function reopenedDrive(read) {
  await withDrive(putFileBatches)
  return withDrive(async (drive) => ({ read: await timed(() => read(drive)), ...(await describeDrive(drive)) }))
}

const operations = {
  append: () =>
    withCore(async (core) => {
      await timed(() => appendAll(core))
      return describe(core)
    }),

  append_batch: () =>
    withCore(async (core) => {
      await timed(() => appendBatches(core))
      return describe(core)
    }),

  get: () =>
    withCore(async (core) => {
      await appendAll(core)
      return { bytesRead: await timed(() => getBlocks(core)), ...(await describe(core)) }
    }),

  get_reopened: () => reopened(getBlocks),

  stream: () =>
    reopened(async (core) => {
      let bytes = 0
      for await (const each of core.createReadStream()) bytes += each.length
      return bytes
    }),

  get_many: () =>
    reopened(async (core) => {
      const blocks = await Promise.all(Array.from({ length: count }, (_, i) => core.get(i)))
      return blocks.reduce((bytes, each) => bytes + each.length, 0)
    }),

  bee_put: () =>
    withCore(async (core) => {
      const bee = openBee(core)
      await bee.ready()
      await timed(() => putAll(bee))
      return describe(core)
    }),

  bee_batch: () =>
    withCore(async (core) => {
      const bee = openBee(core)
      await bee.ready()
      await timed(() => putBatches(bee))
      return describe(core)
    }),

  bee_get: () =>
    withCore(async (core) => {
      const bee = openBee(core)
      await putAll(bee)
      await getAll(bee)
      return { charactersRead: await timed(() => getAll(bee)), ...(await describe(core)) }
    }),

  bee_get_cold: () => reopenedBee(getShuffled),

  bee_scan: () =>
    reopenedBee(async (bee) => {
      let characters = 0
      for await (const entry of bee.createReadStream()) characters += entry.value.length
      return characters
    }),

  drive_put: () =>
    withDrive(async (drive) => {
      await timed(() => putFiles(drive))
      return describeDrive(drive)
    }),

  drive_batch: () =>
    withDrive(async (drive) => {
      await timed(() => putFileBatches(drive))
      return describeDrive(drive)
    }),

  drive_get: () =>
    withDrive(async (drive) => {
      await putFileBatches(drive)
      await getFiles(drive)
      return { bytesRead: await timed(() => getFiles(drive)), ...(await describeDrive(drive)) }
    }),

  drive_get_reopened: () => reopenedDrive(getFiles),

  drive_list: () =>
    reopenedDrive(async (drive) => {
      let characters = 0
      for await (const entry of drive.list()) characters += entry.key.length
      return characters
    })
}

if (!(operation in operations)) throw new Error(`reference.mjs has no operation ${operation}`)
const outcome = await operations[operation]()
process.stdout.write(`${JSON.stringify({ seconds, outcome })}\n`)
