import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, extname, join, relative } from 'node:path'
import type { KeyCommand, Keys } from '../../shared/deck/keys.ts'

/**
 * A file of the deck, its theme or another addon that has a name or a key of this addon. Such a file always takes
 * precedence. `file` is absolute.
 */
export type NameClash =
  /** `<name>` is the file's component. The addon's is available only under its long name. */
  | { kind: 'component'; name: string; file: string }
  /** The name is reserved, so either component may be used. */
  | { kind: 'reserved-component'; name: string; file: string }
  /** `layout: stage` is the file's layout. */
  | { kind: 'layout'; file: string }
  /** The file's shortcut has the key of a command. */
  | { kind: 'key'; command: KeyCommand; key: string; file: string }

/** The short names of the addon's components. The long ones begin with `PREFIX`. */
export const COMPONENTS = ['Terminal', 'Measured', 'MeasuredChart', 'MeasuredOverTime', 'ShareLink']
const PREFIX = 'Understudy'

/** The extensions in which Slidev looks for components and layouts. */
const COMPONENT_EXTENSIONS = ['.vue', '.md', '.js', '.ts', '.jsx', '.tsx']
const LAYOUT_EXTENSIONS = ['.vue', '.js', '.mjs', '.ts', '.mts']
const SHORTCUT_FILES = ['ts', 'js', 'mts', 'mjs'].map((extension) => `setup/shortcuts.${extension}`)

/**
 * Finds the names and keys of this addon that the deck, its theme or another addon uses for something else.
 *
 * @param roots the folders from which Slidev reads the deck, absolute; `own` may be one of them
 * @param own the folder of this addon, absolute
 */
export async function findNameClashes(roots: readonly string[], keys: Keys, own: string): Promise<NameClash[]> {
  const real = async (folder: string) => realpath(folder).catch(() => folder)
  const self = await real(own)
  const clashes: NameClash[] = []
  for (const root of new Set(roots)) {
    if ((await real(root)) === self) continue
    clashes.push(...(await componentClashes(root)), ...(await layoutClashes(root)), ...(await keyClashes(root, keys)))
  }
  return clashes
}

/** Describes a clash and its effect in one line. */
export function describeNameClash(clash: NameClash): string {
  const file = relative(process.cwd(), clash.file) || clash.file
  switch (clash.kind) {
    case 'component':
      return `${file} replaces the component <${clash.name}> of slidev-addon-understudy, which is still available as <${PREFIX}${clash.name}>`
    case 'reserved-component':
      return `${file}: the names of slidev-addon-understudy's own components begin with "${PREFIX}". Rename the file`
    case 'layout':
      return `${file} replaces the layout "stage" of slidev-addon-understudy, which is still available as "understudy-stage"`
    case 'key':
      return `${file} uses the key "${clash.key}" of slidev-addon-understudy. Choose another for it in the headmatter: understudy: { keys: { ${clash.command}: … } }`
  }
}

async function componentClashes(root: string): Promise<NameClash[]> {
  const files = await filesIn(join(root, 'components'), COMPONENT_EXTENSIONS)
  return files.flatMap((file): NameClash[] => {
    const name = pascalCase(nameOf(file))
    if (COMPONENTS.includes(name)) return [{ kind: 'component', name, file }]
    return name.startsWith(PREFIX) ? [{ kind: 'reserved-component', name, file }] : []
  })
}

async function layoutClashes(root: string): Promise<NameClash[]> {
  const files = await filesIn(join(root, 'layouts'), LAYOUT_EXTENSIONS)
  return files.filter((file) => nameOf(file) === 'stage').map((file) => ({ kind: 'layout', file }))
}

/** Setups run only in the browser, so their keys are found in the text: `key: 'r'`. */
async function keyClashes(root: string, keys: Keys): Promise<NameClash[]> {
  const clashes: NameClash[] = []
  for (const name of SHORTCUT_FILES) {
    const file = join(root, name)
    const text = await readFile(file, 'utf8').catch(() => '')
    const used = new Set([...text.matchAll(/\bkey\s*:\s*(['"`])([\w+-]+)\1/g)].map(([, , key = '']) => normalized(key)))
    for (const [command, key] of Object.entries(keys) as [KeyCommand, string | false][])
      if (key !== false && used.has(normalized(key))) clashes.push({ kind: 'key', command, key, file })
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
