import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Deck, readDeck } from '../deck/deck.ts'
import { DeckError } from '../deck/problems.ts'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'

/** The files of a deck in a temporary folder. */
export class WrittenDeck {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<WrittenDeck> {
    const deck = new WrittenDeck(await mkdtemp(join(tmpdir(), 'understudy-deck-')))
    await deck.write({ 'package.json': '{}' })
    return deck
  }

  get file(): string {
    return join(this.folder, 'slides.md')
  }

  /** @param files texts by path */
  async write(files: Record<string, string>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, path)), { recursive: true })
      await writeFile(join(this.folder, path), text)
    }
  }

  /** Writes slides.md and other files, and reads the deck. */
  async read(slides: string, files: Record<string, string> = {}): Promise<Deck> {
    await this.write({ ...files, 'slides.md': slides })
    return readDeck(this.file)
  }

  /** The ids and commands of the deck's steps. */
  async commands(slides: string, files: Record<string, string> = {}): Promise<Record<string, string>> {
    const { steps } = await this.read(slides, files)
    return Object.fromEntries([...steps.values()].map(({ id, command }) => [id, command]))
  }

  /** The errors of the deck, as text. */
  async errors(slides: string, files: Record<string, string> = {}): Promise<string[]> {
    const error = await this.read(slides, files).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof DeckError)) throw new Error('The deck has no errors.', { cause: error })
    return error.problems.map(describeDeckProblem)
  }

  /** The warnings of a deck without errors, as text. */
  async warnings(slides: string, files: Record<string, string> = {}): Promise<string[]> {
    return (await this.read(slides, files)).warnings.map(describeDeckProblem)
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true })
  }
}
