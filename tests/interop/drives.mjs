// What the interop tests ask of drives.

import { answer, apply, blocksOf, describeDrive } from './drive_operations.mjs'
import { bytes, hex, Hyperdrive, withStore } from './reference.mjs'

/** Run `use(drive)` on a new drive; its namespace and encryption key are optional. */
function withDrive({ primaryKey, namespace, encryptionKey }, use) {
  return withStore(
    async (root) => {
      const store = namespace ? root.namespace(namespace) : root
      const drive = new Hyperdrive(store, encryptionKey ? { encryptionKey: bytes(encryptionKey) } : {})
      await drive.ready()
      return use(drive)
    },
    { primaryKey: bytes(primaryKey) }
  )
}

export function writeDrive({ operations, queries, ...options }) {
  return withDrive(options, async (drive) => {
    const blobs = (await drive.getBlobs()).core
    const results = []
    for (const operation of operations) {
      const { error } = await attempt(() => apply(drive, operation))
      results.push({ refused: error !== undefined, db: drive.core.length, blobs: blobs.length, blobBytes: blobs.byteLength })
    }
    const keys = { db: hex(drive.key), blobs: hex(blobs.key) }
    const rawBlobs = await blocksOf(blobs, hex)
    return { keys, results, ...(await describeDrive(drive)), rawBlobs, answers: await answerAll(drive, queries) }
  })
}

export function readDrive({ dbBlocks, rawBlobs, queries, ...options }) {
  return withDrive(options, async (drive) => {
    await drive.core.append(dbBlocks.map(bytes))
    const blobs = (await drive.getBlobs()).core
    await blobs.append(rawBlobs.map(bytes))
    return answerAll(drive, queries)
  })
}

async function answerAll(drive, queries) {
  const answers = []
  for (const query of queries) answers.push(await attempt(() => answer(drive, query)))
  return answers
}

async function attempt(run) {
  try {
    return { result: await run() }
  } catch (error) {
    return { error: error.message }
  }
}
