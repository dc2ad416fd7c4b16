import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { convertPresentermDeck, type ImportedDeck } from '../deck/presenterm/convert.ts'
import { describeImportProblem } from '../deck/presenterm/problems.ts'
import { ADDON } from './addon-spec.ts'

export interface ImportOptions {
  /** The deck of presenterm, absolute. */
  source: string
  /** The file to write, absolute. */
  out: string
}

/**
 * Converts a deck of presenterm, and lists what could not be converted.
 *
 * @throws Error if the deck cannot be read or the file to write exists
 */
export async function importDeck({ source, out }: ImportOptions): Promise<void> {
  const show = (file: string) => relative(process.cwd(), file)
  if (existsSync(out)) throw new Error(`${show(out)} exists. Choose another file with --out, or remove it.`)
  const deck = await convert(source, out)
  // Another program may have written the file in the meantime.
  await writeFile(out, deck.text, { flag: 'wx' })
  console.log(`Written: ${show(out)}, with ${count(deck.slides, 'slide')} and ${count(deck.steps, 'step')}`)
  if (deck.problems.length > 0)
    console.log(
      `\nNot converted, or with a difference:\n${deck.problems.map((problem) => `  ${describeImportProblem(problem)}`).join('\n')}`,
    )
  const icon =
    'Slidev loads the icon of the page from the network, unless public/ has one that the deck names: favicon: /favicon.svg'
  console.log(`\n${icon}\nNext: npx ${ADDON} add ${show(out)}`)
}

async function convert(source: string, out: string): Promise<ImportedDeck> {
  try {
    return await convertPresentermDeck(source, out, ADDON)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') throw new Error(`${source} does not exist. Check the path of the deck.`)
    if (code === 'EISDIR') throw new Error(`${source} is a folder. Name the Markdown file of the deck in it.`)
    throw error
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
