import { mkdtemp, rm, symlink, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@playwright/test'
import { startTalk, type Talk } from './talk.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The deck of another speaker: a directory with this package installed. */
export interface OtherDeck {
  folder: string
  /** Absolute path of slides.md. */
  file: string
  write: (slides: string) => Promise<void>
  /** Writes another file, by its path in the directory. */
  writeFile: (path: string, text: string) => Promise<void>
  remove: () => Promise<void>
}

/**
 * Creates a deck in a temporary directory. Packages are linked instead of installed.
 *
 * @param options.file path of the slides in that directory
 * @param options.files texts of other files, by their paths in that directory
 */
export async function otherDeck(
  slides: string,
  { file: name = 'slides.md', files = {} }: { file?: string; files?: Record<string, string> } = {},
): Promise<OtherDeck> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-deck-'))
  const file = join(folder, name)
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules', 'slidev-addon-understudy'))
  for (const name of ['@slidev', 'vue'])
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'another-talk', private: true, type: 'module' }))
  for (const [path, text] of Object.entries({ ...files, [name]: slides })) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return {
    folder,
    file,
    write: (text) => writeFile(file, text),
    writeFile: (path, text) => writeFile(join(folder, path), text),
    remove: () => rm(folder, { recursive: true }),
  }
}

/**
 * Creates a `test` function whose tests share a deck and a running talk.
 *
 * @param args options of the talk; by default its steps run on this machine
 * @param files texts of other files of the deck
 * @param prepare called with the deck before the talk starts
 */
export function testsOf(
  slides: string,
  {
    args = ['--profile', 'host'],
    files = {},
    prepare = async () => {},
  }: { args?: string[]; files?: Record<string, string>; prepare?: (deck: OtherDeck) => Promise<void> } = {},
) {
  return test.extend<object, { deck: OtherDeck; talk: Talk }>({
    deck: [
      async ({}, use) => {
        const deck = await otherDeck(slides, { files })
        await prepare(deck)
        await use(deck)
        await deck.remove()
      },
      { scope: 'worker', timeout: 120_000 },
    ],
    talk: [
      async ({ deck }, use) => {
        const talk = await startTalk({ deck: deck.file, args })
        await use(talk)
        await talk.stop()
      },
      { scope: 'worker', timeout: 300_000 },
    ],
  })
}
