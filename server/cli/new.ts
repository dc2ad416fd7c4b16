import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { execa } from 'execa'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { NpmError, runNpm } from '../lib/npm-client.ts'
import { packageRoot } from '../lib/paths.ts'
import { shellQuote } from '../lib/shell-quote.ts'
import { ADDON, addonSpec } from './addon-spec.ts'
import { deckScripts } from './deck-scripts.ts'

export interface NewOptions {
  /** The folder to create, absolute. */
  folder: string
  /** The spec of this package for npm; by default as this copy was installed. */
  addon?: string
  /** Install the packages and rehearse the deck. */
  install: boolean
  /** Names of all commands. */
  commands: readonly string[]
}

/** Versions of other packages that a new deck starts with. Slidev 53 requires Node 22.12. */
const SLIDEV = { '22.12': '53.0.0', older: '52.20.1' }
const THEME = '0.25.0'

/** Files of a new deck and their templates in starter/. npm would not pack a file named .gitignore. */
const TEMPLATES = {
  'slides.md': 'slides.md',
  '.gitignore': 'gitignore',
  'public/favicon.svg': 'favicon.svg',
  '.github/workflows/rehearse.yml': 'rehearse.yml',
  '.vscode/extensions.json': 'extensions.json',
}

/**
 * Creates a folder with a small deck, installs its packages, and rehearses it, which records its steps.
 *
 * @returns whether the rehearsal succeeded; also true without one
 * @throws Error whose message contains the fix
 */
export async function createDeck(
  { folder, addon, install, commands }: NewOptions,
  signal = interruptSignal(),
): Promise<boolean> {
  await checkFolder(folder)
  const { spec, tarball } = await addonSpec(addon, folder)
  const show = (path: string) => relative(process.cwd(), join(folder, path)) || '.'

  await mkdir(folder, { recursive: true })
  for (const [path, text] of await filesOf(folder, spec, commands)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
    console.log(`Written: ${show(path)}`)
  }
  if (tarball) {
    await tarball.put(folder, signal)
    console.log(`Written: ${show(tarball.name)}`)
  }
  const enter = `cd ${shellQuote(relative(process.cwd(), folder) || '.')}`
  if (!install) {
    console.log(`\nNext:\n  ${enter}\n  npm install\n  npm run rehearse   # run the steps and record them\n  npm start`)
    return true
  }

  try {
    console.log('\nInstalling the packages (about a minute) …')
    await runNpm(['install', '--no-audit', '--no-fund', '--loglevel=error'], folder, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof NpmError)) throw error
    throw new Error(`${error.message}\nThe files of the deck are complete. Continue with: ${enter} && npm install`)
  }
  console.log('\nRehearsing the deck: its steps run and are recorded')
  const rehearsed = await rehearse(folder, signal)
  if (!rehearsed)
    console.log('\nThe rehearsal failed, so some steps have no recording yet. Repeat it with: npm run rehearse')
  console.log(
    `\nThe deck is ready. Next:\n  ${enter}\n  npm start          # present it\n  npm run dev        # edit it with live reload\n  npm run rehearse   # run, check and record its steps`,
  )
  return rehearsed
}

/** @throws Error if the folder exists and is not empty, or is a file */
async function checkFolder(folder: string): Promise<void> {
  let present: string[]
  try {
    present = await readdir(folder)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return
    if (code === 'ENOTDIR') throw new Error(`${folder} is a file. Choose another name for the folder of the deck.`)
    throw error
  }
  if (present.length > 0)
    throw new Error(
      `The folder ${folder} is not empty. Choose another name; or, if it contains a deck, add Understudy to that: npx ${ADDON} add ${shellQuote(relative(process.cwd(), join(folder, 'slides.md')))}`,
    )
}

/** The files of a new deck and their contents. */
async function filesOf(folder: string, spec: string, commands: readonly string[]): Promise<[string, string][]> {
  const title = titleOf(folder)
  const manifest = {
    name: packageName(folder),
    private: true,
    type: 'module',
    scripts: deckScripts(commands),
    dependencies: { '@slidev/cli': slidevVersion(), '@slidev/theme-default': THEME, [ADDON]: spec },
  }
  const templates = await Promise.all(
    Object.entries(TEMPLATES).map(async ([path, template]): Promise<[string, string]> => {
      const text = await readFile(join(packageRoot, 'starter', template), 'utf8')
      return [
        path,
        withoutMissingScripts(
          text.replaceAll('%TITLE%', () => title),
          manifest.scripts,
        ),
      ]
    }),
  )
  return [...templates, ['package.json', `${JSON.stringify(manifest, undefined, 2)}\n`]]
}

/** Removes the steps of a workflow that run a script that the deck does not have. */
function withoutMissingScripts(text: string, scripts: Record<string, string>): string {
  return text.replace(/^ *- run: npm run (\w+)\n/gm, (line, name: string) => (name in scripts ? line : ''))
}

/** `my-talk` → `My talk`. Only characters that need no quotes in YAML. */
function titleOf(folder: string): string {
  const words = basename(folder)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  return /\p{L}/u.test(words) ? words.charAt(0).toUpperCase() + words.slice(1) : 'My talk'
}

function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
  // npm refuses a package that depends on one of its own name.
  return name === '' || name === ADDON ? 'my-talk' : name
}

function slidevVersion(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 12) ? SLIDEV['22.12'] : SLIDEV.older
}

/** Runs `rehearse` of the installed package, and shows its output. */
async function rehearse(folder: string, signal: AbortSignal): Promise<boolean> {
  const { failed } = await execa('npm', ['run', '--silent', 'rehearse'], {
    cwd: folder,
    cancelSignal: signal,
    reject: false,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  signal.throwIfAborted()
  return !failed
}
