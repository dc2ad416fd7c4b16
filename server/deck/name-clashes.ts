import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, extname, join, relative } from 'node:path'
import type { KeyCommand, Keys } from '../../shared/deck/keys.ts'
import { COMPONENT_PREFIX, type DeckIssue, type DeckProblem } from '../../shared/failures/deck-problem.ts'
import { deckProblem } from './problems.ts'

/** The short names of the addon's components. The long ones begin with `COMPONENT_PREFIX`. */
export const COMPONENTS = ['Terminal', 'Measured', 'MeasuredChart', 'MeasuredOverTime', 'ShareLink']

/** The extensions in which Slidev looks for components and layouts. */
const COMPONENT_EXTENSIONS = ['.vue', '.md', '.js', '.ts', '.jsx', '.tsx']
const LAYOUT_EXTENSIONS = ['.vue', '.js', '.mjs', '.ts', '.mts']
const SHORTCUT_FILES = ['ts', 'js', 'mts', 'mjs'].map((extension) => `setup/shortcuts.${extension}`)

/**
 * Finds the files of the deck, its theme or another addon that have a name or a key of this addon. Such a file always
 * takes precedence.
 *
 * @param roots the folders from which Slidev reads the deck, absolute; `own` may be one of them
 * @param deck the folder of the deck, absolute
 * @param own the folder of this addon, absolute
 */
export async function findNameClashes(
  { roots, deck }: { roots: readonly string[]; deck: string },
  keys: Keys,
  own: string,
): Promise<DeckProblem[]> {
  const real = async (folder: string) => realpath(folder).catch(() => folder)
  const self = await real(own)
  const clashes: Clash[] = []
  for (const root of new Set(roots)) {
    if ((await real(root)) === self) continue
    clashes.push(...(await componentClashes(root)), ...(await layoutClashes(root)), ...(await keyClashes(root, keys)))
  }
  return clashes.map(({ file, ...issue }) => deckProblem({ file: relative(deck, file) }, issue))
}

/** A clash, and the file that causes it, absolute. */
type Clash = DeckIssue & { file: string }

async function componentClashes(root: string): Promise<Clash[]> {
  const files = await filesIn(join(root, 'components'), COMPONENT_EXTENSIONS)
  return files.flatMap((file): Clash[] => {
    const name = pascalCase(nameOf(file))
    if (COMPONENTS.includes(name)) return [{ kind: 'replaced-component', name, file }]
    return name.startsWith(COMPONENT_PREFIX) ? [{ kind: 'reserved-component', name, file }] : []
  })
}

async function layoutClashes(root: string): Promise<Clash[]> {
  const files = await filesIn(join(root, 'layouts'), LAYOUT_EXTENSIONS)
  return files.filter((file) => nameOf(file) === 'stage').map((file) => ({ kind: 'replaced-layout', file }))
}

/** Setups run only in the browser, so their keys are found in the text: `key: 'r'`. */
async function keyClashes(root: string, keys: Keys): Promise<Clash[]> {
  const clashes: Clash[] = []
  for (const name of SHORTCUT_FILES) {
    const file = join(root, name)
    const text = await readFile(file, 'utf8').catch(() => '')
    const used = new Set([...text.matchAll(/\bkey\s*:\s*(['"`])([\w+-]+)\1/g)].map(([, , key = '']) => normalized(key)))
    for (const [command, key] of Object.entries(keys) as [KeyCommand, string | false][])
      if (key !== false && used.has(normalized(key))) clashes.push({ kind: 'replaced-key', command, key, file })
  }
  return clashes
}

/** Slidev accepts `shift_r`, `shift+r` and `shift-r`, in any case. */
function normalized(key: string): string {
  return key.toLowerCase().split(/[+_-]/).sort().join('+')
}

async function filesIn(folder: string, extensions: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory() && extensions.includes(extname(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

const nameOf = (file: string) => basename(file, extname(file))

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|[-_\s.]+)(\w)/g, (_, letter: string) => letter.toUpperCase())
}
