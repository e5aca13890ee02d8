// The JavaScript side of the replication tests: stores, cores and connections that live on between commands.
//
// One JSON command a line on stdin; the answers on stdout carry its id, and come in the order in which they are ready.

import { createInterface } from 'node:readline'
import { commands } from './replication_commands.mjs'

async function run({ id, command, ...parameters }) {
  try {
    return { id, result: (await commands[command](parameters)) ?? null }
  } catch (error) {
    return { id, error: error.stack }
  }
}

console.log = console.error // the packages print, too, but stdout is for answers

const tell = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)

for await (const line of createInterface({ input: process.stdin })) run(JSON.parse(line)).then(tell)
process.exit()
