import { type Captured, measurement, type Measurement, metadata, type Metadata } from '../server/recording/metadata.ts'
import { connection } from './connection.ts'

/** A value that a run of a step has given, with where and when. */
export interface Measured extends Captured {
  step: string
  date: string
  profile: Metadata['profile']
  nix?: string | undefined
  nixpkgs?: string | undefined
}

// The deck's own: Vite resolves them against the deck's folder, and bundles them.
const files = import.meta.glob('/recordings/*/*.json', { eager: true, import: 'default' })
const histories = import.meta.glob('/recordings/*/history.jsonl', { eager: true, query: '?raw', import: 'default' })

const all = Object.values(files).flatMap((file) => {
  const facts = metadata.safeParse(file)
  return facts.success ? [facts.data] : []
})

/**
 * What the last good run of a step has given: in the profile in use, or else in the one that has it.
 *
 * @param id `<step>.<name>` of a capture; `<step>.ready` and `<step>.seconds` are always there
 * @returns undefined before the first measurement
 */
export function measured(id: string): Measured | undefined {
  const [step = '', name = ''] = id.split('.')
  const found = all.filter((facts) => facts.step === step && valueOf(facts, name))
  const facts = found.find(({ profile }) => profile === connection.profile) ?? found.sort((a, b) => b.date.localeCompare(a.date))[0]
  const value = facts && valueOf(facts, name)
  return facts && value && { ...value, step, date: facts.date, profile: facts.profile, nix: facts.nix, nixpkgs: facts.nixpkgs }
}

function valueOf(facts: Metadata, name: string): Captured | undefined {
  if (name === 'seconds') return { value: String(facts.seconds), unit: 'seconds', label: facts.step }
  if (name === 'ready') return facts.ready === undefined ? undefined : { value: String(facts.ready), unit: 'seconds', label: facts.step }
  return facts.captures[name]
}

/** Every measurement of a value that differed from the one before, oldest first, in one profile. */
export function history(id: string, profile: Metadata['profile']): { date: string; value: number }[] {
  const [step = '', name = ''] = id.split('.')
  const text = histories[`/recordings/${profile}/history.jsonl`]
  if (typeof text !== 'string') return []
  return text
    .split('\n')
    .filter(Boolean)
    .flatMap((line): Measurement[] => {
      const found = measurement.safeParse(JSON.parse(line))
      return found.success ? [found.data] : []
    })
    .filter((entry) => entry.step === step && entry.captures[name])
    .map((entry) => ({ date: entry.date, value: Number(entry.captures[name]?.value) }))
}

/** A value for people: bytes as decimal megabytes, as image sizes are told. */
export function readable({ value, unit }: Pick<Captured, 'value' | 'unit'>): string {
  const number = Number(value)
  if (unit === 'seconds') return `${number < 10 ? number.toFixed(1) : Math.round(number)} s`
  if (unit === 'bytes') return number >= 1e9 ? `${(number / 1e9).toFixed(2)} GB` : number >= 1e6 ? `${(number / 1e6).toFixed(number < 1e7 ? 1 : 0)} MB` : `${Math.ceil(number / 1000)} kB`
  return value
}

/** Where and when: `lab, 23 Nov 2026`. */
export function provenance({ profile, date }: Pick<Measured, 'profile' | 'date'>): string {
  return `${profile}, ${new Date(date).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })}`
}
