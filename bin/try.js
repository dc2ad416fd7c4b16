// Tries a clone on a bare release of Debian with a version of Node.js: one cell of the matrix in docs/compatibility.md.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './install.js'
import { runCell } from './try/cell.js'
import { CELLS, cellName, readTable, recordCell } from './try/table.js'

const USAGE = `npm run try                          lists the cells
npm run try -- debian13 node24       tries one: a fresh clone, npm start, two steps, the unit tests (about 5 minutes)

  --user     as a user who is neither root nor may use sudo
  --full     run every test (npm test) instead of two steps and the unit tests
  --record   write the result into docs/compatibility.md
  --here     on this system, without a root directory of its own; for CI and containers`

const FLAGS = ['--user', '--full', '--record', '--here']

const args = process.argv.slice(2)
const flags = new Set(args.filter((arg) => arg.startsWith('-')))
const unknown = [...flags].filter((flag) => !FLAGS.includes(flag))
if (unknown.length > 0) fail(`Unknown option ${unknown.join(', ')}.\n\n${USAGE}`)
const options = { user: flags.has('--user'), full: flags.has('--full') }
const names = args.filter((arg) => !arg.startsWith('-'))

if (flags.has('--here')) {
  const result = await runCell(options, console.log)
  process.exit(result.passed ? 0 : 1)
}
if (names.length === 0) {
  listCells()
  process.exit()
}
const cell = parseCell(names)
console.log(`${cellName(cell)}${options.user ? ', as a user' : ''}`)
const result = await tryCell(cell)
console.log(`${result.passed ? 'passed' : 'FAILED'} in ${result.seconds.toFixed(0)} s`)
if (flags.has('--record')) recordCell(cell, { ...options, ...result })
process.exit(result.passed ? 0 : 1)

/** Runs the cell in a bare root directory. Its results arrive as one JSON text on a pipe. */
async function tryCell({ debian, node }) {
  const startedAt = Date.now()
  const child = spawn(
    join(root, 'scripts', 'debian-root'),
    [
      '--bare',
      ...(options.user ? ['--user'] : []),
      ...[debian, node, '--', 'node', 'bin/try/cell.js'],
      ...[...flags].filter((flag) => flag !== '--record'),
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] },
  )
  let json = ''
  child.stdio[3].setEncoding('utf8').on('data', (text) => (json += text))
  await new Promise((resolve) => child.once('close', resolve))
  const seconds = (Date.now() - startedAt) / 1000
  // A cell that was killed has no result.
  return { ...(json === '' ? { passed: false, parts: [], versions: {} } : JSON.parse(json)), seconds }
}

function listCells() {
  console.log(`${USAGE}\n`)
  for (const cell of CELLS) console.log(`${cellName(cell).padEnd(20)} ${readTable(cell) ?? 'not tried'}`)
}

/** Accepts `debian13 node24`, `sid 26` and similar, in any order. */
function parseCell(words) {
  const debian = words.map((word) => /^(?:debian-?)?(12|13|sid)$/.exec(word)?.[1]).find(Boolean)
  const node = words.map((word) => /^(?:node-?)?(20|22|24|26)$/.exec(word)?.[1]).find(Boolean)
  if (words.length !== 2 || debian === undefined || node === undefined)
    fail(`Name a release and a version of Node.js, for example: debian13 node24\n\n${USAGE}`)
  return { debian, node }
}

function fail(message) {
  console.error(message)
  process.exit(2)
}
