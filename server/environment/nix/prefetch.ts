import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { type Profile, profileSchema } from '../../../shared/deck/contract.ts'
import type { Deck } from '../../deck/deck.ts'
import { json } from '../../../shared/json.ts'
import { devShellEnvironment } from './dev-shell.ts'
import { nix, NixError, type NixPlace } from './nix.ts'

/**
 * Prefetching: everything that the steps make Nix build or download is made before the talk, and kept from garbage collection by
 * links in the deck's folder of the cache. What an edit on stage makes Nix build again needs the inputs of that build as well,
 * so those are kept too.
 */

/** One thing that was made, or was not. */
export interface Prefetched {
  /** An installable of the flake: `.#run-vm`. */
  installable: string
  /** The steps that need it. */
  steps: string[]
  seconds: number
  /** What Nix said, where it failed. */
  problem?: string
}

export interface PrefetchReport {
  installables: Prefetched[]
  /** Store paths that are kept. */
  paths: number
  /** Bytes in the store of all that is kept. */
  bytes: number
  /** Steps that need the network all the same, and what they ask it for. */
  network: { step: string; hosts: string[] }[]
}

/** Told while it works: `done` of `total` things, and the last line that Nix said. */
export type OnProgress = (what: string, done: number, total: number, line?: string) => void

const archive: z.ZodType<Archive> = z.lazy(() =>
  z.object({ path: z.string(), inputs: z.record(z.string(), archive).default({}) }),
)
interface Archive {
  path: string
  inputs: Record<string, Archive>
}

const marker = z.strictObject({ profile: profileSchema, date: z.iso.datetime(), lock: z.string() })

const file = (roots: string) => join(roots, 'prefetched.json')

/** What the flake is locked to: another lock file makes another set of paths. */
async function lockOf(workdir: string): Promise<string> {
  const lock = await readFile(join(workdir, 'flake.lock')).catch(() => '')
  return createHash('sha256').update(lock).digest('hex')
}

/**
 * When this flake was prefetched for this profile; undefined where it was not, or was locked to something else since.
 *
 * @param roots folder of the links, absolute
 */
export async function prefetchedOn(roots: string, workdir: string, profile: Profile): Promise<Date | undefined> {
  const found = marker.safeParse(json(await readFile(file(roots), 'utf8').catch(() => '')))
  if (!found.success || found.data.profile !== profile || found.data.lock !== (await lockOf(workdir))) return undefined
  return new Date(found.data.date)
}

/**
 * Makes everything that the steps of a deck need, and keeps it.
 *
 * @param roots folder of the links, absolute: those of an earlier time go once everything is there
 * @param to folder of a binary cache to write as well (a USB stick), absolute
 * @throws NixError where the flake itself cannot be had; a single installable that fails is reported instead
 */
export async function prefetch(
  place: NixPlace,
  { deck, profile, roots, to }: { deck: Deck; profile: Profile; roots: string; to?: string | undefined },
  onProgress: OnProgress = () => {},
): Promise<PrefetchReport> {
  const wanted = installablesOf(deck, profile)
  // Nix registers a link by its path, so these are not moved into place: each time has a folder of its own.
  const links = join(roots, new Date().toISOString().replace(/[^0-9]/g, ''))
  await mkdir(links, { recursive: true, mode: 0o700 })

  const total = wanted.size + 3
  let done = 0
  const begin = (what: string) => {
    onProgress(what, done++, total)
    return (line: string) => onProgress(what, done - 1, total, line)
  }

  const inputs = archive.parse(
    JSON.parse(await nix(place, 'nix', ['flake', 'archive', '--json'], begin('the inputs of the flake'))),
  )
  // The steps of the lab need nothing of the flake's shell.
  if (profile === 'nixos') await devShellEnvironment(place, join(links, 'dev-shell'), begin('the development shell'))

  const installables: Prefetched[] = []
  for (const [installable, steps] of wanted) {
    const started = Date.now()
    const link = join(links, `output-${installables.length}`)
    const problem = await nix(
      place,
      'nix',
      ['build', '--print-build-logs', '--out-link', link, installable],
      begin(installable),
    ).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof NixError) return error.message
        throw error
      },
    )
    installables.push({
      installable,
      steps,
      seconds: (Date.now() - started) / 1000,
      ...(problem !== undefined && { problem }),
    })
  }

  const onLine = begin('what a build after an edit needs')
  const kept = new Set(pathsOf(inputs))
  const made = installables.filter(({ problem }) => problem === undefined).map(({ installable }) => installable)
  if (made.length > 0) {
    const derivations = lines(await nix(place, 'nix', ['path-info', '--derivation', ...made], onLine))
    const closure = await nix(
      place,
      'nix-store',
      ['--query', '--requisites', '--include-outputs', ...derivations],
      onLine,
    )
    // A derivation cannot be realised without building it; the next evaluation writes it again.
    for (const path of lines(closure)) if (!path.endsWith('.drv')) kept.add(path)
  }
  const paths = [...kept]
  let bytes = 0
  for (const [number, batch] of batches(paths)) {
    await nix(place, 'nix-store', ['--realise', '--add-root', join(links, `path-${number}`), '--indirect', ...batch])
    for (const size of lines(await nix(place, 'nix-store', ['--query', '--size', ...batch]))) bytes += Number(size)
  }

  if (to !== undefined) {
    const onCopied = begin(`the copy in ${to}`)
    for (const [, batch] of batches(paths)) await nix(place, 'nix', ['copy', '--to', cacheUrl(to), ...batch], onCopied)
    // A binary cache knows hashes only: whoever takes from it has to know the names.
    await writeFile(join(to, LIST), paths.map((path) => `${path}\n`).join(''))
  }

  if (made.length === installables.length) {
    const text = { profile, date: new Date().toISOString(), lock: await lockOf(place.workdir) } satisfies z.infer<
      typeof marker
    >
    await writeFile(file(roots), `${JSON.stringify(text, undefined, 2)}\n`)
    for (const name of await readdir(roots))
      if (name !== basename(links) && name !== basename(file(roots))) await rm(join(roots, name), { recursive: true })
  }
  return { installables, paths: paths.length, bytes, network: stepsWithNetwork(deck) }
}

/** The file in a binary cache that names the store paths in it, one on a line. */
const LIST = 'understudy-paths'

/**
 * Takes over what `prefetch` has written to a folder: from a USB stick into this machine's store.
 *
 * @throws NixError, also where the folder holds no such thing
 */
export async function takeFrom(place: NixPlace, folder: string, onLine?: (line: string) => void): Promise<void> {
  const list = await readFile(join(folder, LIST), 'utf8').catch(() => {
    throw new NixError(
      `There is no ${LIST} in ${folder}: write it with "npm run prefetch -- --to ${folder}" on a connected machine.`,
    )
  })
  const paths = lines(list)
  if (!paths.every((path) => /^\/nix\/store\/[0-9a-z]{32}-[\w+.?=-]+$/.test(path)))
    throw new NixError(`${join(folder, LIST)} names something that is no store path. Write it anew.`)
  // What was built on the other machine is signed by nobody: who takes the stick decides to trust it.
  for (const [, batch] of batches(paths))
    await nix(place, 'nix', ['copy', '--no-check-sigs', '--from', cacheUrl(folder), ...batch], onLine)
}

/** What the steps of this profile make Nix build, and which of them. In the deck's order. */
function installablesOf(deck: Deck, profile: Profile): Map<string, string[]> {
  const wanted = new Map<string, string[]>()
  for (const { id, contract } of deck.steps.values()) {
    if (contract.needs.profiles && !contract.needs.profiles.includes(profile)) continue
    for (const installable of contract.needs.installables)
      wanted.set(installable, [...(wanted.get(installable) ?? []), id])
  }
  return wanted
}

function stepsWithNetwork(deck: Deck): PrefetchReport['network'] {
  return [...deck.steps.values()]
    .filter(({ contract }) => contract.needs.network.length > 0)
    .map(({ id, contract }) => ({ step: id, hosts: contract.needs.network }))
}

function pathsOf({ path, inputs }: Archive): string[] {
  return [path, ...Object.values(inputs).flatMap(pathsOf)]
}

/** A command line holds some thousand paths. */
function* batches(paths: string[]): Generator<[number, string[]]> {
  for (let from = 0; from < paths.length; from += 500) yield [from, paths.slice(from, from + 500)]
}

/** A binary cache in a folder; zstd, since xz takes most of an hour for a system. */
function cacheUrl(folder: string): string {
  return `file://${folder}?compression=zstd`
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean)
}
