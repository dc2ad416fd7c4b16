import { mkdtemp, rm, symlink, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@playwright/test'
import { startTalk, type Talk } from './talk.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The deck of another speaker: a folder of its own that has this package installed. */
export interface OtherDeck {
  /** slides.md, absolute. */
  file: string
  write: (slides: string) => Promise<void>
  remove: () => Promise<void>
}

/** Makes such a deck. The packages are linked, not installed: what npm would download is what this project's lockfile has. */
export async function otherDeck(slides: string): Promise<OtherDeck> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-deck-'))
  const file = join(folder, 'slides.md')
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules', 'slidev-addon-understudy'))
  for (const name of ['@slidev', 'vue'])
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'another-talk', private: true, type: 'module' }))
  await writeFile(file, slides)
  return { file, write: (text) => writeFile(file, text), remove: () => rm(folder, { recursive: true }) }
}

/**
 * Tests with one such deck, and the talk of it, for all of a file.
 *
 * @param args what the talk is started with; against this machine unless given
 * @param prepare what is done with the deck before the talk begins
 */
export function testsOf(
  slides: string,
  {
    args = ['--profile', 'host'],
    prepare = async () => {},
  }: { args?: string[]; prepare?: (deck: OtherDeck) => Promise<void> } = {},
) {
  return test.extend<object, { deck: OtherDeck; talk: Talk }>({
    deck: [
      async ({}, use) => {
        const deck = await otherDeck(slides)
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
