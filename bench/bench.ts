import { cpus, loadavg } from 'node:os'
import { BENCHMARKS } from './benchmarks.ts'
import { type Figure, meetsTarget, round } from './figure.ts'
import { type Outcome, runBenchmarks } from './run-benchmarks.ts'

// `npm run bench`: measures on loopback and prints the results. See docs/benchmarks.md for the options.
const options = process.argv.slice(2)
const quick = options.includes('--quick')
const json = options.includes('--json')
const names = options.filter((option) => !option.startsWith('--'))

const unknownOptions = options.filter((option) => option.startsWith('--') && !['--quick', '--json'].includes(option))
const unknownNames = names.filter((name) => BENCHMARKS.every((benchmark) => benchmark.name !== name))
if (unknownOptions.length > 0) exitWithUsage(`Unknown option ${unknownOptions.join(', ')}. Use --quick or --json.`)
if (unknownNames.length > 0)
  exitWithUsage(
    `Unknown benchmark ${unknownNames.join(', ')}. Use ${BENCHMARKS.map(({ name }) => name).join(', ')}, or none for all.`,
  )

// Other work on the machine slows down every benchmark, so the result includes the load.
const load = () => loadavg().map(round)
const machine = { processors: cpus().length, model: cpus()[0]?.model ?? '', load: { before: load() } }
const print = (line: string) => {
  if (!json) console.log(line)
}

print(`${machine.processors} × ${machine.model}, load ${machine.load.before.join(' ')}`)
const outcomes = await runBenchmarks(
  BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name)),
  {
    quick,
    onStart: ({ name }) => print(`\n${name}`),
    onOutcome: (outcome) => {
      for (const line of describeOutcome(outcome)) print(`  ${line}`)
    },
  },
)
const after = load()
const failed = outcomes.some(({ status }) => status === 'failed')
if (json) {
  const result = {
    date: new Date().toISOString(),
    node: process.version,
    machine: { ...machine, load: { ...machine.load, after } },
    quick,
    outcomes,
  }
  console.log(JSON.stringify(result, null, 2))
} else {
  const count = (status: Outcome['status']) => outcomes.filter((outcome) => outcome.status === status).length
  print(`\nload ${after.join(' ')}`)
  print(`${count('measured')} measured, ${count('skipped')} skipped, ${count('failed')} failed`)
}
// A failed benchmark may have left a server or a browser running, which would keep this process alive.
process.exit(failed ? 1 : 0)

function describeOutcome(outcome: Outcome): string[] {
  switch (outcome.status) {
    case 'measured':
      return outcome.figures.map(describeFigure)
    case 'skipped':
      return [`- skipped: ${outcome.reason}`]
    case 'failed':
      return [`✗ failed: ${outcome.message}`]
  }
}

function describeFigure(figure: Figure): string {
  const { name, value, unit, range, target, references = {} } = figure
  const met = meetsTarget(figure)
  return [
    `${met === undefined ? ' ' : met ? '✓' : '✗'} ${name}: ${value} ${unit}`,
    range && range[0] !== range[1] ? ` (${range[0]} to ${range[1]})` : '',
    target ? `, target ${'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`}` : '',
    ...Object.entries(references).map(([reference, measured]) => `; ${reference}: ${measured}`),
  ].join('')
}

function exitWithUsage(message: string): never {
  console.error(message)
  process.exit(1)
}
