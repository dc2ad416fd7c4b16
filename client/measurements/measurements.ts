import { ref } from 'vue'
import {
  type Captured,
  measurement,
  type Measurement,
  metadata,
  type Metadata,
} from '../../shared/recording/metadata.ts'
import { connection } from '../connection.ts'
import { inOrder, type Point } from './history.ts'

/** A value that a run of a step has given, with where and when. */
export interface Measured extends Captured {
  step: string
  date: string
  profile: Metadata['profile']
  nix?: string | undefined
  nixpkgs?: string | undefined
  /** By a run of this talk, and not by a rehearsal. */
  live?: boolean
}

// The deck's own: Vite resolves them against the deck's folder, and bundles them.
const files = import.meta.glob('/recordings/*/*.json', { eager: true, import: 'default' })
const histories = import.meta.glob('/recordings/*/history.jsonl', { eager: true, query: '?raw', import: 'default' })

const all = Object.values(files).flatMap((file) => {
  const facts = metadata.safeParse(file)
  return facts.success ? [facts.data] : []
})

/** The time, for what was measured a moment ago. */
const now = ref(Date.now())
if (typeof window !== 'undefined') setInterval(() => (now.value = Date.now()), 20_000)

/**
 * What the last good run of a step has given: in this talk, else in a rehearsal, of the profile in use or else of the one that has it.
 *
 * @param id `<step>.<name>` of a capture; `<step>.ready` and `<step>.seconds` are always there
 * @returns undefined before the first measurement
 */
export function measured(id: string): Measured | undefined {
  const [step = '', name = ''] = id.split('.')
  const { profile } = connection
  const run = connection.steps[step]?.measured
  const fresh = run && valueOf({ step, ...run }, name)
  if (fresh && profile) return { ...fresh, step, date: run.date, profile, live: true }
  const found = all.filter((facts) => facts.step === step && valueOf(facts, name))
  const facts = found.find((each) => each.profile === profile) ?? found.sort((a, b) => b.date.localeCompare(a.date))[0]
  const value = facts && valueOf(facts, name)
  return (
    facts &&
    value && { ...value, step, date: facts.date, profile: facts.profile, nix: facts.nix, nixpkgs: facts.nixpkgs }
  )
}

function valueOf(facts: Pick<Metadata, 'step' | 'seconds' | 'ready' | 'captures'>, name: string): Captured | undefined {
  if (name === 'seconds') return { value: String(facts.seconds), unit: 'seconds', label: facts.step }
  if (name === 'ready')
    return facts.ready === undefined ? undefined : { value: String(facts.ready), unit: 'seconds', label: facts.step }
  return facts.captures[name]
}

/** Every measurement of a value that differed from the one before, oldest first, and the last one; all of the profile that `measured` tells of. */
export function history(id: string): Point[] {
  const [step = '', name = ''] = id.split('.')
  const last = measured(id)
  if (!last) return []
  const kept = all.find((facts) => facts.step === step && facts.profile === last.profile)
  const value = kept && valueOf(kept, name)
  return inOrder([
    ...pointsOf(histories[`/recordings/${last.profile}/history.jsonl`], step, name),
    ...(value ? [{ date: kept.date, value: Number(value.value) }] : []),
    { date: last.date, value: Number(last.value) },
  ])
}

function pointsOf(text: unknown, step: string, name: string): Point[] {
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
  if (unit === 'bytes')
    return number >= 1e9
      ? `${(number / 1e9).toFixed(2)} GB`
      : number >= 1e6
        ? `${(number / 1e6).toFixed(number < 1e7 ? 1 : 0)} MB`
        : `${Math.ceil(number / 1000)} kB`
  return value
}

/** Milliseconds for which something was measured just now. */
const JUST_NOW = 120_000

/** Where and when: `lab, 23 Nov 2026`; of this talk `lab, just now`, later the time of day. */
export function provenance({ profile, date, live }: Pick<Measured, 'profile' | 'date' | 'live'>): string {
  const when = new Date(date)
  if (!live) return `${profile}, ${day(date)}`
  return `${profile}, ${now.value - when.getTime() < JUST_NOW ? 'just now' : `today ${when.toLocaleTimeString('en-GB', { timeStyle: 'short' })}`}`
}

/** `23 Nov 2026` */
export function day(date: string): string {
  return new Date(date).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
}
