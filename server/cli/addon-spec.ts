import { existsSync } from 'node:fs'
import { copyFile, readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { runNpm } from '../lib/npm-client.ts'
import { packageRoot } from '../lib/paths.ts'

/** How a deck depends on this package. */
export interface AddonSpec {
  /** The value in `dependencies`. */
  spec: string
  /** The file that `spec` names and that must first be put into the deck's folder. */
  tarball?: { name: string; put: (folder: string, signal: AbortSignal) => Promise<void> }
}

export const ADDON = 'slidev-addon-understudy'

const ownManifest = z.object({ version: z.string() })

/** The part of npm's record of an installation that this module reads. */
const installation = z.object({
  packages: z.record(z.string(), z.object({ resolved: z.string().optional(), link: z.boolean().optional() })),
})

/** The version of this package. */
export async function ownVersion(): Promise<string> {
  return ownManifest.parse(json(await readFile(join(packageRoot, 'package.json'), 'utf8'))).version
}

/**
 * Determines how a deck can depend on this package: by its version if it comes from a registry, and otherwise in the
 * way that this copy was installed. A tarball is copied into the deck's folder, so that the deck can be installed on
 * other machines too. A clone is packed.
 *
 * @param given the user's choice: a version, a tarball, or anything else that npm installs
 * @param folder the folder of the deck's package.json, absolute
 * @throws Error if the tarball does not exist
 */
export async function addonSpec(given: string | undefined, folder: string): Promise<AddonSpec> {
  if (given !== undefined)
    return /\.tgz$/.test(given) && !/^https?:/.test(given) ? tarball(given, folder) : { spec: given }
  const modules = dirname(packageRoot.replace(/\/$/, ''))
  if (basename(modules) !== 'node_modules') return packed(folder)
  const project = dirname(modules)
  const record = installation.safeParse(
    json(await readFile(join(modules, '.package-lock.json'), 'utf8').catch(() => '')),
  )
  const { resolved, link } = record.data?.packages[`node_modules/${ADDON}`] ?? {}
  if (link) return packed(folder)
  if (resolved?.startsWith('file:')) return tarball(resolve(project, resolved.slice('file:'.length)), folder)
  if (resolved === undefined || resolved.includes(`/${ADDON}/-/`)) return { spec: await ownVersion() }
  return { spec: resolved }
}

function tarball(given: string, folder: string): AddonSpec {
  const file = resolve(given.replace(/^file:/, ''))
  if (!existsSync(file))
    throw new Error(`The package ${file} does not exist. Name a version or a file: --addon <version or file>`)
  const inside = relative(folder, file)
  if (!inside.startsWith('..')) return { spec: `file:${inside}` }
  const name = basename(file)
  return { spec: `file:${name}`, tarball: { name, put: (into) => copyFile(file, join(into, name)) } }
}

async function packed(folder: string): Promise<AddonSpec> {
  const name = `${ADDON}-${await ownVersion()}.tgz`
  return {
    spec: `file:${name}`,
    ...(!existsSync(join(folder, name)) && {
      tarball: { name, put: (into, signal) => runNpm(['pack', '--pack-destination', into], packageRoot, signal) },
    }),
  }
}
