import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { DeckError } from './problems.ts'
import type { DeckSlide } from './step.ts'

/**
 * The steps that the server has read from a deck, for Slidev's process, which compares them with those of the page
 * (page-steps.ts). They are exchanged through files, since only Slidev's process knows its plugins.
 */

/** The environment variable with the path of the list. Slidev does not compare anything without it. */
export const STEP_LIST_VARIABLE = 'UNDERSTUDY_STEP_LIST'

const placeSchema = z.object({ file: z.string(), line: z.number().optional(), slide: z.number().optional() })
const listSchema = z.object({
  /** Absent while the deck has errors, so that its steps are unknown. */
  slides: z
    .array(
      z.object({
        place: placeSchema.extend({ slide: z.number() }),
        content: z.string(),
        steps: z.array(z.object({ id: z.string(), hash: z.string(), place: placeSchema })),
      }),
    )
    .optional(),
})
export type StepList = z.infer<typeof listSchema>

const problemsSchema = z.array(
  placeSchema.extend({
    severity: z.literal('error'),
    kind: z.enum(['step-only-on-page', 'step-not-on-page']),
    step: z.string(),
  }),
)
/** A difference between the page and the deck that the server has read. */
export type PageProblem = z.infer<typeof problemsSchema>[number]

/** A list for one process of Slidev, in a temporary folder. */
export class StepListFile {
  readonly path: string
  private readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
    this.path = join(folder, 'steps.json')
  }

  static async create(slides: readonly DeckSlide[]): Promise<StepListFile> {
    const list = new StepListFile(await mkdtemp(join(tmpdir(), 'understudy-steps-')))
    await list.write(slides)
    return list
  }

  /** @param slides undefined if the deck has errors */
  async write(slides: readonly DeckSlide[] | undefined): Promise<void> {
    await writeFile(this.path, JSON.stringify({ slides }))
  }

  /**
   * Throws what Slidev's process has found.
   *
   * @throws DeckError
   */
  async check(): Promise<void> {
    const problems = problemsSchema.safeParse(json(await readFile(problemsFile(this.path), 'utf8').catch(() => '')))
    if (problems.success && problems.data.length > 0) throw new DeckError(problems.data)
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** @returns undefined if the file does not contain a list */
export async function readStepList(path: string): Promise<StepList | undefined> {
  return listSchema.safeParse(json(await readFile(path, 'utf8').catch(() => ''))).data
}

/** Saves what Slidev's process has found. */
export async function writePageProblems(list: string, problems: readonly PageProblem[]): Promise<void> {
  await writeFile(problemsFile(list), JSON.stringify(problems))
}

function problemsFile(list: string): string {
  return `${list}.problems`
}
