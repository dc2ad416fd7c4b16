// The table of docs/compatibility.md: one row for each cell of the matrix, written by `npm run try -- … --record`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../install.js'

const FILE = join(root, 'docs', 'compatibility.md')

/** Names of the versions, in the order of the table. */
const VERSIONS = {
  debian: 'Debian',
  node: 'Node',
  npm: 'npm',
  slidev: 'Slidev',
  guest: 'VM’s kernel',
  nix: 'Nix',
  qemu: 'QEMU',
}

/** All combinations of the supported releases of Debian and versions of Node.js. */
export const CELLS = ['12', '13', 'sid'].flatMap((debian) => ['20', '22', '24', '26'].map((node) => ({ debian, node })))

export function cellName({ debian, node }) {
  return `debian${debian} node${node}`
}

/** @returns the last recorded result of a cell, as one line; undefined if there is none */
export function readTable(cell) {
  const row = rows(readFileSync(FILE, 'utf8')).find((row) => row.startsWith(rowStart(cell, false)))
  return row?.split('|').slice(2, 5).join(' ').trim()
}

/** Writes the result of a cell into the table, in place of its last one. */
export function recordCell(cell, result) {
  writeFileSync(FILE, withResult(readFileSync(FILE, 'utf8'), cell, result))
}

/** @returns the text of the table with the result of a cell */
export function withResult(text, cell, { user, full, passed, parts, versions }) {
  const link = parts.find(({ name }) => name === 'clone to link')
  const failed = parts.filter(({ passed }) => !passed).map(({ name }) => name)
  const columns = [
    new Date().toISOString().slice(0, 10),
    full ? 'talk, npm test' : user ? 'talk, doctor, unit tests' : 'talk, VM, unit tests',
    passed ? 'passed' : `failed: ${failed.join(', ') || 'did not run'}`,
    link?.passed ? `${link.seconds.toFixed(0)} s (processor ${link.processor.toFixed(0)} s)` : '',
    Object.entries(VERSIONS)
      .filter(([key]) => versions[key] !== undefined)
      .map(([key, name]) => `${name} ${versions[key]}`)
      .join(', '),
  ]
  const start = rowStart(cell, user)
  const before = rows(text)
  const after = [...before.filter((row) => !row.startsWith(start)), `${start} ${columns.join(' | ')} |`].sort()
  return text.replace(before.join('\n'), () => after.join('\n'))
}

function rowStart(cell, user) {
  return `| ${cellName(cell)}${user ? ', user' : ''} |`
}

function rows(text) {
  return text.split('\n').filter((line) => line.startsWith('| debian'))
}
