import { commandLine } from '../../../shared/command-line.ts'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { type Profile, profileSchema } from '../../../shared/deck/contract.ts'
import type { Deck } from '../../deck/deck.ts'
import { json } from '../../../shared/json.ts'
import { devShellEnvironment } from './dev-shell.ts'
import { nix, type NixContext, NixError } from './nix.ts'

/**
 * Prefetching: builds and downloads before the talk everything that the steps need from Nix, and protects it from
 * garbage collection with links in the deck's folder of the cache. The inputs of the builds are kept too, since a step
 * builds again after an edit during the talk.
 */

/** The result of prefetching an installable. */
export interface PrefetchedInstallable {
  /** An installable of the flake: `.#run-vm`. */
  installable: string
  /** The steps that need it. */
  steps: string[]
  seconds: number
  /** Nix's error message; absent if the build succeeded. */
  problem?: string
}

export interface PrefetchReport {
  installables: PrefetchedInstallable[]
  /** Number of store paths that are kept. */
  paths: number
  /** Size of these paths in the store. */
  bytes: number
  /** Steps that require the network even after the prefetch, and the hosts that they connect to. */
  network: { step: string; hosts: string[] }[]
}

/** Receives the current task, the numbers of completed and of all tasks, and the last line of Nix's output. */
export type OnProgress = (task: string, completed: number, total: number, line?: string) => void

/**
 * Output of `nix flake archive --json`. Since Nix 2.26, an input below the flake's own folder has no path: it is part of
 * the flake's.
 */
const archiveSchema: z.ZodType<Archive> = z.lazy(() =>
  z.object({ path: z.string().optional(), inputs: z.record(z.string(), archiveSchema).default({}) }),
)
interface Archive {
  path?: string | undefined
  inputs: Record<string, Archive>
}

/** Contents of the file that marks a completed prefetch. */
const markerSchema = z.strictObject({ profile: profileSchema, date: z.iso.datetime(), lock: z.string() })

/** @param roots folder of the links, absolute */
function markerFile(roots: string): string {
  return join(roots, 'prefetched.json')
}

/** Identifies the lock file, which determines the store paths. */
async function lockHash(workdir: string): Promise<string> {
  const lock = await readFile(join(workdir, 'flake.lock')).catch(() => '')
  return createHash('sha256').update(lock).digest('hex')
}

/**
 * Returns the date of the last completed prefetch for a profile.
 *
 * @param roots folder of the links, absolute
 * @returns undefined if there is none, or if the lock file has changed since
 */
export async function prefetchedOn(roots: string, workdir: string, profile: Profile): Promise<Date | undefined> {
  const found = markerSchema.safeParse(json(await readFile(markerFile(roots), 'utf8').catch(() => '')))
  if (!found.success || found.data.profile !== profile || found.data.lock !== (await lockHash(workdir)))
    return undefined
  return new Date(found.data.date)
}

/**
 * Builds everything that the steps of a deck need, and protects it from garbage collection.
 *
 * @param options.roots folder of the links, absolute; earlier links are removed once all installables are built
 * @param options.cache folder to also write a binary cache to, for example on a USB stick, absolute
 * @throws NixError if the flake cannot be evaluated; the failure of an installable is part of the report
 */
export async function prefetch(
  context: NixContext,
  { deck, profile, roots, cache }: { deck: Deck; profile: Profile; roots: string; cache?: string | undefined },
  onProgress: OnProgress = () => {},
): Promise<PrefetchReport> {
  const required = installablesOf(deck, profile)
  // A new folder for each run: Nix registers links by their path, so they cannot be moved after their creation.
  const links = join(roots, new Date().toISOString().replace(/[^0-9]/g, ''))
  await mkdir(links, { recursive: true, mode: 0o700 })

  const total = required.size + 3
  let completed = -1
  const begin = (task: string) => {
    completed++
    onProgress(task, completed, total)
    return (line: string) => onProgress(task, completed, total, line)
  }

  const inputs = archiveSchema.parse(
    JSON.parse(await nix(context, 'nix', ['flake', 'archive', '--json'], begin('inputs of the flake'))),
  )
  // The lab provides its own programs.
  if (profile === 'nixos') await devShellEnvironment(context, join(links, 'dev-shell'), begin('development shell'))

  const installables: PrefetchedInstallable[] = []
  for (const [installable, steps] of required) {
    const started = Date.now()
    const link = join(links, `output-${installables.length}`)
    const problem = await nix(
      context,
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

  const onLine = begin('build dependencies')
  const kept = new Set(pathsOf(inputs))
  const built = installables.filter(({ problem }) => problem === undefined).map(({ installable }) => installable)
  if (built.length > 0) {
    const derivations = lines(await nix(context, 'nix', ['path-info', '--derivation', ...built], onLine))
    const closure = await nix(
      context,
      'nix-store',
      ['--query', '--requisites', '--include-outputs', ...derivations],
      onLine,
    )
    // Derivations are not kept: realizing one builds it, and the next evaluation writes it again.
    for (const path of lines(closure)) if (!path.endsWith('.drv')) kept.add(path)
  }
  const paths = [...kept]
  let bytes = 0
  for (const [number, batch] of batches(paths)) {
    await nix(context, 'nix-store', ['--realise', '--add-root', join(links, `path-${number}`), '--indirect', ...batch])
    for (const size of lines(await nix(context, 'nix-store', ['--query', '--size', ...batch]))) bytes += Number(size)
  }

  if (cache !== undefined) {
    const onCopied = begin(`copy to ${cache}`)
    for (const [, batch] of batches(paths))
      await nix(context, 'nix', ['copy', '--to', cacheUrl(cache), ...batch], onCopied)
    // A binary cache is indexed by hash: `nix copy` from it requires the full paths.
    await writeFile(join(cache, LIST), paths.map((path) => `${path}\n`).join(''))
  }

  if (built.length === installables.length) {
    const text = { profile, date: new Date().toISOString(), lock: await lockHash(context.workdir) } satisfies z.infer<
      typeof markerSchema
    >
    await writeFile(markerFile(roots), `${JSON.stringify(text, undefined, 2)}\n`)
    for (const name of await readdir(roots))
      if (name !== basename(links) && name !== basename(markerFile(roots)))
        await rm(join(roots, name), { recursive: true })
  }
  return { installables, paths: paths.length, bytes, network: stepsWithNetwork(deck) }
}

/** The file in a binary cache that lists its store paths, one per line. */
const LIST = 'understudy-paths'

/**
 * Copies a binary cache that `prefetch` has written, for example on a USB stick, into this machine's store.
 *
 * @throws NixError if the copy fails or the folder is not such a cache
 */
export async function importCache(context: NixContext, folder: string, onLine?: (line: string) => void): Promise<void> {
  const list = await readFile(join(folder, LIST), 'utf8').catch(() => {
    throw new NixError(
      `${folder} does not contain ${LIST}. Create it on a connected machine: ${commandLine('prefetch', '--export', folder)}`,
    )
  })
  const paths = lines(list)
  if (!paths.every((path) => /^\/nix\/store\/[0-9a-z]{32}-[\w+.?=-]+$/.test(path)))
    throw new NixError(`${join(folder, LIST)} contains an invalid store path. Run prefetch --export again.`)
  // Local builds are not signed. The user decides to trust the folder by importing it.
  for (const [, batch] of batches(paths))
    await nix(context, 'nix', ['copy', '--no-check-sigs', '--from', cacheUrl(folder), ...batch], onLine)
}

/** The installables that steps need in this profile, with the ids of these steps, in the deck's order. */
function installablesOf(deck: Deck, profile: Profile): Map<string, string[]> {
  const required = new Map<string, string[]>()
  for (const { id, contract } of deck.steps.values()) {
    if (contract.needs.profiles && !contract.needs.profiles.includes(profile)) continue
    for (const installable of contract.needs.installables)
      required.set(installable, [...(required.get(installable) ?? []), id])
  }
  return required
}

function stepsWithNetwork(deck: Deck): PrefetchReport['network'] {
  return [...deck.steps.values()]
    .filter(({ contract }) => contract.needs.network.length > 0)
    .map(({ id, contract }) => ({ step: id, hosts: contract.needs.network }))
}

function pathsOf({ path, inputs }: Archive): string[] {
  return [...(path === undefined ? [] : [path]), ...Object.values(inputs).flatMap(pathsOf)]
}

/** Number of store paths on one command line, whose length is limited. */
const BATCH_SIZE = 500

/** Divides a list of paths into numbered parts, each of which fits on a command line. */
function* batches(paths: string[]): Generator<[number, string[]]> {
  for (let from = 0; from < paths.length; from += BATCH_SIZE) yield [from, paths.slice(from, from + BATCH_SIZE)]
}

/** The URL of a binary cache in a folder. Compressed with zstd, since xz takes most of an hour for a system. */
function cacheUrl(folder: string): string {
  return `file://${folder}?compression=zstd`
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean)
}
