// Writes vectors as JSON with one line for each element of a section, so that a change of one vector is a change of one line.

import { readFileSync, writeFileSync } from 'node:fs'

const manifest = new URL('../interop/package.json', import.meta.url)

const packagesOfCores = [
  'compact-encoding',
  'corestore',
  'hyperbee',
  'hypercore',
  'hypercore-crypto',
  'hypercore-id-encoding',
  'hypercore-storage',
  'index-encoder',
  'sub-encoder'
]

/** The versions of the packages that a file is made with. */
export function madeWith(names = packagesOfCores) {
  const { dependencies } = JSON.parse(readFileSync(manifest, 'utf8'))
  return Object.fromEntries(names.map((name) => [name, dependencies[name]]))
}

export function writeVectors(name, sections) {
  const lines = Object.entries(sections).map(([title, section]) => `${JSON.stringify(title)}: ${layOut(section)}`)
  writeFileSync(new URL(name, import.meta.url), `{\n${lines.join(',\n')}\n}\n`)
}

function layOut(section) {
  if (Array.isArray(section)) return `[\n${section.map((each) => JSON.stringify(each)).join(',\n')}\n]`
  const lines = Object.entries(section).map(([title, value]) => {
    const text = Array.isArray(value) ? layOut(value) : JSON.stringify(value)
    return `${JSON.stringify(title)}: ${text}`
  })
  return `{\n${lines.join(',\n')}\n}`
}
