import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { writeAtomically } from '../lib/atomic-write.ts'
import { deckPaths } from '../lib/paths.ts'

/** Kinds of builds of a deck: each bundles other modules. */
export type BuildVariant = 'talk' | 'workshop' | 'site'

/** Environment variable with the path of the file to which a build writes its inputs (setup/vite-plugins.ts). */
export const INPUTS_VARIABLE = 'UNDERSTUDY_BUILD_INPUTS'

const inputsSchema = z.array(z.string())

/**
 * Serializes the files that a build has read.
 *
 * @param modules ids of modules, some of which are virtual or have a query
 */
export function serializeInputs(modules: readonly string[]): string {
  const files = modules
    .map((id) => id.replace(/[?#].*$/, ''))
    .filter((id) => isAbsolute(id) && existsSync(id))
    .map(representative)
  return JSON.stringify([...new Set(files)].sort())
}

/** Installed packages do not change without their version, so that one file represents all of their modules. */
function representative(file: string): string {
  const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? []
  return folder === undefined ? file : join(folder, 'package.json')
}

/** The files that the last build of a deck has read, absolute; empty before its first build. */
export async function readInputs(deckFile: string, variant: BuildVariant): Promise<string[]> {
  return parseInputs(await readFile(inputsFile(deckFile, variant), 'utf8').catch(() => ''))
}

/** Saves the inputs of a successful build. */
export async function saveInputs(deckFile: string, variant: BuildVariant, text: string): Promise<void> {
  const file = inputsFile(deckFile, variant)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeAtomically(file, JSON.stringify(parseInputs(text)))
}

function parseInputs(text: string): string[] {
  return inputsSchema.catch([]).parse(json(text))
}

function inputsFile(deckFile: string, variant: BuildVariant): string {
  return join(deckPaths(deckFile).inputs, `${variant}.json`)
}
