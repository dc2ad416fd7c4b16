// The table of docs/compatibility.md: one row for each cell of the matrix, written by `npm run try -- … --record`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../install.js'

const FILE = join(root, 'docs', 'compatibility.md')

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
export function recordCell(cell, { user, full, passed, parts, versions }) {
  const part = (name) => parts.find((part) => part.name === name)
  const link = part('clone to link')
  const failed = parts.filter(({ passed }) => !passed).map(({ name }) => name)
  const ran = full ? 'npm test' : user ? 'talk, doctor, unit tests' : 'talk, VM, unit tests'
  const names = {
    debian: 'Debian',
    node: 'Node',
    npm: 'npm',
    slidev: 'Slidev',
    kernel: 'kernel',
    guest: 'VM’s kernel',
    nix: 'Nix',
    qemu: 'QEMU',
  }
  const columns = [
    new Date().toISOString().slice(0, 10),
    ran,
    passed ? 'passed' : `failed: ${failed.join(', ') || 'did not run'}`,
    link?.passed ? `${link.seconds.toFixed(0)} s (processor ${link.processor.toFixed(0)} s)` : '',
    Object.entries(names)
      .filter(([key]) => versions[key] !== undefined)
      .map(([key, name]) => `${name} ${versions[key]}`)
      .join(', '),
  ]
  const start = rowStart(cell, user)
  const text = readFileSync(FILE, 'utf8')
  const others = rows(text)
  const kept = others.filter((row) => !row.startsWith(start))
  const sorted = [...kept, `${start} ${columns.join(' | ')} |`].sort()
  writeFileSync(
    FILE,
    text.replace(others.length === 0 ? /(?<=^\| --- .*\n)/m : others.join('\n'), () => sorted.join('\n')),
  )
}

function rowStart(cell, user) {
  return `| ${cellName(cell)}${user ? ', user' : ''} |`
}

function rows(text) {
  return text.split('\n').filter((line) => line.startsWith('| debian'))
}
