import { commandLine } from '../../shared/command-line.ts'
import {
  type Captured,
  measurement,
  type Measurement,
  metadata,
  type Metadata,
} from '../../shared/recording/metadata.ts'
import { connection } from '../connection.ts'
import { type Point, sortByDate } from './history.ts'

/** A value measured by a run of a step, with its origin. */
export interface Measured extends Captured {
  step: string
  date: string
  profile: Metadata['profile']
  nix?: string | undefined
  nixpkgs?: string | undefined
  /** Whether the value was measured in this talk instead of a rehearsal. */
  live?: boolean
}

// Vite resolves these patterns against the deck's folder, and bundles the files.
const files = import.meta.glob('/recordings/*/*.json', { eager: true, import: 'default' })
const histories = import.meta.glob('/recordings/*/history.jsonl', { eager: true, query: '?raw', import: 'default' })

const rehearsed = Object.values(files).flatMap((file) => {
  const facts = metadata.safeParse(file)
  return facts.success ? [facts.data] : []
})

/**
 * Finds the latest measurement of a value: from the last good run in this talk, otherwise from a rehearsal with the
 * profile in use, otherwise from the latest rehearsal with any profile.
 *
 * @param id `<step>.<name>` of a capture; `<step>.ready` and `<step>.seconds` always exist
 * @returns undefined before the first measurement
 */
export function measured(id: string): Measured | undefined {
  const [step = '', name = ''] = id.split('.')
  const { profile } = connection
  const run = connection.steps[step]?.measured
  const live = run && valueOf({ step, ...run }, name)
  if (live && profile) return { ...live, step, date: run.date, profile, live: true }
  const found = rehearsed.filter((facts) => facts.step === step && valueOf(facts, name))
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

/**
 * The history of a value, oldest first: the measurements that changed it, and the latest one. All have the profile that
 * `measured` selects.
 */
export function history(id: string): Point[] {
  const [step = '', name = ''] = id.split('.')
  const last = measured(id)
  if (!last) return []
  const kept = rehearsed.find((facts) => facts.step === step && facts.profile === last.profile)
  const value = kept && valueOf(kept, name)
  return sortByDate([
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

/** Formats a value. Bytes become decimal units, as is usual for images. */
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

/** Maximum age of a measurement that is described as "just now". */
const JUST_NOW_MS = 120_000

/**
 * Describes the origin of a measurement: `lab, 23 Nov 2026` for a rehearsal; `lab, just now`, later `lab, today 14:05`,
 * for a run in this talk.
 *
 * @param now milliseconds since 1970
 */
export function provenance({ profile, date, live }: Pick<Measured, 'profile' | 'date' | 'live'>, now: number): string {
  if (!live) return `${profile}, ${day(date)}`
  const measuredAt = new Date(date)
  if (now - measuredAt.getTime() < JUST_NOW_MS) return `${profile}, just now`
  return `${profile}, today ${measuredAt.toLocaleTimeString('en-GB', { timeStyle: 'short' })}`
}

/** Interval at which slides update the age of a measurement. */
export const PROVENANCE_INTERVAL_MS = 20_000

/** Formats a date: `23 Nov 2026`. */
export function day(date: string): string {
  return new Date(date).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
}

/** The command that measures a value, for slides that show it before the first measurement. */
export function measuringCommand(id: string): string {
  return commandLine('rehearse', id.split('.')[0] ?? '')
}
