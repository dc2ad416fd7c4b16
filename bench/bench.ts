import { cpus, loadavg } from 'node:os'
import { echo } from './echo.ts'
import { type Figure, meets, round } from './figure.ts'
import { film } from './render.ts'
import { flood } from './flood.ts'
import { interrupt } from './interrupt.ts'
import { manyViewers } from './many-viewers.ts'
import { stalled } from './stalled.ts'
import { frames, warmStart } from './warm-start.ts'

/** `npm run bench`: measures everything on loopback and prints it; `-- --quick` for a short form, `-- --json` for one object, names to choose. */
const options = process.argv.slice(2)
const quick = options.includes('--quick')
const json = options.includes('--json')
const chosen = options.filter((option) => !option.startsWith('--'))

const parts: Record<string, () => Promise<Figure[]>> = {
  flood: () => (quick ? flood(20e6, 1) : flood(100e6, 3)),
  echo: () => echo(quick ? 300 : 2000),
  interrupt: () => interrupt(quick ? 3 : 15),
  stalled: () => stalled(quick ? 3 : 6),
  viewers: () => manyViewers(),
  start: () => warmStart(quick ? 1 : 5, quick ? 5 : 30),
  frames: () => frames(quick ? 3 : 10),
  film: () => film(quick),
}

const unknown = chosen.filter((name) => !(name in parts))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${Object.keys(parts).join(', ')}`)
  process.exit(1)
}

/** What else kept the machine busy: with a load above nothing, all figures are worse than they need to be. */
const load = () => loadavg().map(round)
const machine = {
  processors: cpus().length,
  model: cpus()[0]?.model ?? '',
  load: { before: load(), after: [] as number[] },
}
if (!json) console.log(`${machine.processors} × ${machine.model}, load ${machine.load.before.join(' ')}`)

const figures: Figure[] = []
for (const [name, measure] of Object.entries(parts)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  if (!json) console.log(`\n${name}`)
  for (const each of await measure()) {
    figures.push(each)
    if (!json) console.log(`  ${describe(each)}`)
  }
}
machine.load.after = load()
if (json)
  console.log(
    JSON.stringify({ date: new Date().toISOString(), node: process.version, machine, quick, figures }, null, 2),
  )
else console.log(`\nload ${machine.load.after.join(' ')}`)

function describe(each: Figure): string {
  const { name, value, unit, range, target, references = {} } = each
  const met = meets(each)
  return [
    `${met === undefined ? ' ' : met ? '✓' : '✗'} ${name}: ${value} ${unit}`,
    range && range[0] !== range[1] ? ` (${range[0]} to ${range[1]})` : '',
    target ? `, target ${'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`}` : '',
    ...Object.entries(references).map(([reference, figure]) => `; ${reference}: ${figure}`),
  ].join('')
}
