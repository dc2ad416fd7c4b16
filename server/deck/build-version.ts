import { createHash } from 'node:crypto'
import { type Dirent, readFileSync, statSync } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { deckPaths, packageRoot } from '../lib/paths.ts'
import { type BuildVariant, readInputs } from './build-inputs.ts'
import { findPackage, findRoots, parents } from './roots.ts'

/**
 * The version of a built deck: a hash of everything that can influence the build.
 *
 * These are the files that the last build has read, wherever they are, and everything that the next build may read in
 * addition: all files below Slidev's roots (the folders of the deck, its theme and its addons), the package.json of the
 * theme and addons that are installed from a registry, and the lock file, which represents all other packages.
 */

/**
 * Larger files are identified by size and modification time, since reading a video would take too long at every start.
 */
const MAX_HASHED_BYTES = 1_000_000

/** Lock files of the package managers that Slidev supports. */
const LOCK_FILES = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb']

/** Folders in the root of a deck: output of commands and tests, and the tasks, which only the server reads. */
const NOT_BUILT_IN_DECK = ['dist', 'videos', 'casts', 'tasks', 'test-results', 'playwright-report']

/**
 * Folders of this package that contain no code that Slidev bundles. A folder that is missing from this list only causes
 * needless builds.
 */
const NOT_BUILT_IN_PACKAGE = [
  'bench',
  'bin',
  'docs',
  'e2e',
  'nix/lab',
  'schema',
  'starter',
  'scripts',
  ...['cli', 'dist', 'environment', 'executor', 'http', 'recording', 'rehearsal'].map((name) => `server/${name}`),
  ...['steps', 'terminal', 'test', 'video', 'workshop'].map((name) => `server/${name}`),
]

/** The only hidden folder that influences a build: Slidev's saved drawings. */
const BUILT_HIDDEN_FOLDER = '.slidev'

/** Documentation, logs, tests, exported slides, and temporary files of editors and operating systems. */
const NOT_BUILT_NAME =
  /^(node_modules|(README|CHANGELOG|LICENSE)(\.\w+)?|slides\.(pdf|pptx)|\.DS_Store|#.*#|\.#.*)$|(~|\.(log|tmp|swp|swx)|\.(test|spec)\.\w+)$/

/**
 * Computes the version of a build.
 *
 * @param deckFile the entry file, absolute
 * @param deckFiles all files that the slides were read from, absolute
 * @param variant the kind of build
 * @returns 16 hexadecimal digits
 */
export async function deckVersion(
  deckFile: string,
  deckFiles: readonly string[],
  variant: BuildVariant = 'talk',
): Promise<string> {
  const deckRoot = await realpath(dirname(deckFile))
  const { folders, manifests } = await findSources(deckFile, deckRoot)
  // These folders are below the deck only if UNDERSTUDY_CACHE or UNDERSTUDY_DATA is set accordingly.
  const { cache, learners } = deckPaths(deckFile)
  const written = await Promise.all([cache, dirname(learners)].map((path) => realpath(path).catch(() => path)))
  const below = await Promise.all([...folders].map((folder) => filesBelow(folder, folder === deckRoot, written)))
  const inputs = await readInputs(deckFile, variant)
  const files = new Set([...deckFiles, ...inputs, ...below.flat(), ...manifests, ...(await lockFiles(deckRoot))])
  const sorted = [...files].sort()
  const hash = createHash('sha256')
  for (const file of sorted)
    hash
      .update(`${relative(deckRoot, file)}\0`)
      .update(identify(file))
      .update('\0')
  return hash.digest('hex').slice(0, 16)
}

/**
 * The contents of a file, or its size and time if it is large. A file that was removed in the meantime counts as empty.
 *
 * Synchronous, because most files are small: asynchronous calls use several times the processor time.
 */
function identify(file: string): Buffer | string {
  try {
    const { size, mtimeMs } = statSync(file)
    return size > MAX_HASHED_BYTES ? `${size} ${mtimeMs}` : readFileSync(file)
  } catch {
    return ''
  }
}

interface Sources {
  /** Folders whose files are all hashed, absolute and without links. */
  folders: Set<string>
  /** Manifests of packages that are installed from a registry and never edited, absolute. */
  manifests: Set<string>
}

const dependencyMap = z.record(z.string(), z.string()).catch({}).default({})
const manifestSchema = z.object({ dependencies: dependencyMap, devDependencies: dependencyMap })

/**
 * Finds the folders and manifests that determine a build.
 *
 * @param deckRoot folder of the deck, absolute and without links
 */
async function findSources(deckFile: string, deckRoot: string): Promise<Sources> {
  const sources: Sources = { folders: new Set([deckRoot]), manifests: new Set() }
  const { theme, addons } = await findRoots(deckFile)
  for (const folder of [theme, ...addons, packageRoot]) await addRoot(sources, folder)

  const [project] = await nearest(deckRoot, ['package.json'])
  if (project === undefined) return sources
  sources.manifests.add(project)
  const manifest = manifestSchema.parse(json(await readFile(project, 'utf8').catch(() => '')) ?? {})
  // Local packages are included, because the lock file does not change with their contents.
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }))
    await addRoot(sources, await findPackage(name, deckRoot))
  return sources
}

/** Adds a theme, an addon or a package: all of its files, or its manifest if it is installed from a registry. */
async function addRoot({ folders, manifests }: Sources, folder: string | undefined): Promise<void> {
  if (folder === undefined) return
  const real = await realpath(folder).catch(() => folder)
  if (real.split(sep).includes('node_modules')) manifests.add(join(folder, 'package.json'))
  else folders.add(real)
}

/** The lock files of the deck or of the workspace that it belongs to. */
function lockFiles(deckRoot: string): Promise<string[]> {
  return nearest(deckRoot, LOCK_FILES)
}

/** The files with one of these names in the nearest folder that contains any, from `start` upward. */
async function nearest(start: string, names: readonly string[]): Promise<string[]> {
  for (const folder of parents(start)) {
    const found: string[] = []
    for (const name of names) if (await exists(join(folder, name))) found.push(join(folder, name))
    if (found.length > 0) return found
  }
  return []
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/**
 * Lists the files below a root that can influence a build. Follows links, except into packages and the Nix store.
 *
 * @param root absolute and without links
 * @param isDeck whether the root is the folder of the deck
 * @param written folders that the server writes while it runs, absolute and without links
 */
async function filesBelow(root: string, isDeck: boolean, written: readonly string[]): Promise<string[]> {
  const excluded = new Set([
    ...(isDeck ? NOT_BUILT_IN_DECK : []),
    ...(root === (await realpath(packageRoot)) ? NOT_BUILT_IN_PACKAGE : []),
  ])
  const visited = new Set<string>()
  const files: string[] = []
  const walk = async (folder: string): Promise<void> => {
    const real = await realpath(folder).catch(() => undefined)
    if (real === undefined || visited.has(real) || written.includes(real)) return
    visited.add(real)
    const entries = await readdir(real, { withFileTypes: true }).catch(() => [])
    await Promise.all(
      entries.map(async (entry) => {
        // The real path is used, so that a folder that is reached through two paths counts once.
        const path = join(real, entry.name)
        if (NOT_BUILT_NAME.test(entry.name) || excluded.has(relative(root, path))) return
        const type = await typeOf(entry, path)
        if (type === 'file') files.push(path)
        else if (type === 'folder' && (!entry.name.startsWith('.') || entry.name === BUILT_HIDDEN_FOLDER))
          await walk(path)
      }),
    )
  }
  await walk(root)
  return files
}

async function typeOf(entry: Dirent, path: string): Promise<'file' | 'folder' | 'other'> {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (!entry.isSymbolicLink()) return 'other'
  const target = await realpath(path).catch(() => undefined)
  if (target === undefined || /\/node_modules\/|^\/nix\/store\//.test(target)) return 'other'
  const found = await stat(target)
  return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other'
}
