import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { parse } from 'vue/compiler-sfc'
import { z } from 'zod'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'
import { type PageProblem, readStepList, type StepList, writePageProblems } from './step-list.ts'

/** How long the server may take to read an edited deck, before its steps are not compared with those of the page. */
const LIST_TIMEOUT_MS = 3000
const LIST_INTERVAL_MS = 50

/** A slide, as Slidev's process has read it. */
interface SlideOfPage {
  content: string
}

interface PageStep {
  id: string
  hash: string
}

// The parts of Vue's syntax tree that are used here: elements of the type 1, and attributes of the type 6.
const elementSchema = z.object({
  type: z.literal(1),
  tag: z.string(),
  /** 1 for a component. Within v-pre, every element is plain HTML. */
  tagType: z.number(),
  props: z.array(z.unknown()),
})
const attributeSchema = z.object({
  type: z.literal(6),
  name: z.string(),
  value: z.object({ content: z.string() }),
})
const parentSchema = z.object({ children: z.array(z.unknown()) })

/**
 * Finds the steps that a slide renders.
 *
 * @param component the slide as a Vue component, before Vue compiles it
 */
export function stepsOfPage(component: string): PageStep[] {
  if (!component.includes('<UnderstudyStep')) return []
  const steps: PageStep[] = []
  const visit = (node: unknown): void => {
    const element = elementSchema.safeParse(node).data
    if (element?.tag === 'UnderstudyStep' && element.tagType === 1) {
      const attributes = element.props.flatMap((prop) => attributeSchema.safeParse(prop).data ?? [])
      const valueOf = (name: string) => attributes.find((attribute) => attribute.name === name)?.value.content ?? ''
      steps.push({ id: valueOf('id'), hash: valueOf('hash') })
    }
    for (const child of parentSchema.safeParse(node).data?.children ?? []) visit(child)
  }
  visit(parse(component).descriptor.template?.ast)
  return steps
}

/** Compares the steps of a slide of the page with those that the server has read. */
function compare(number: number, list: NonNullable<StepList['slides']>, found: readonly PageStep[]): PageProblem[] {
  const slide = list[number - 1]
  const place = slide?.place ?? { file: 'slides', slide: number }
  const isSame = (a: PageStep, b: PageStep) => a.id === b.id && a.hash === b.hash
  const listed = slide?.steps ?? []
  return [
    ...found
      .filter((step) => !listed.some((each) => isSame(step, each)))
      .map(({ id }) => ({ ...place, severity: 'error', kind: 'step-only-on-page', step: id }) as const),
    ...listed
      .filter((step) => !found.some((each) => isSame(step, each)))
      .map(
        ({ id, place: { line } }) =>
          ({
            ...place,
            ...(line !== undefined && { line }),
            severity: 'error',
            kind: 'step-not-on-page',
            step: id,
          }) as const,
      ),
  ]
}

/**
 * A Vite plugin that compares the steps of the page with those that the server has read. A step that only the page has
 * could not run; a step that only the server has is on the allowlist, but no slide shows it. A build fails with all
 * differences. The development server shows the error in place of the slide.
 *
 * @param list path of the server's list
 * @param slides the slides in Slidev's process
 */
export function createStepComparison(list: string, slides: () => readonly SlideOfPage[]) {
  let isBuild = false
  const rendered = new Set<number>()
  const problems: PageProblem[] = []
  return {
    name: 'understudy:steps',
    /** Runs after Slidev's plugins for Markdown, and before Vue's. */
    enforce: 'pre' as const,
    configResolved({ command }: { command: string }) {
      isBuild = command === 'build'
    },
    async transform(component: string, id: string): Promise<undefined> {
      const number = Number(/__slidev_(\d+)\.md$/.exec(id)?.[1])
      const slide = slides()[number - 1]
      if (!slide) return undefined
      const found = stepsOfPage(component)
      rendered.add(number)
      const listed = isBuild ? (await readStepList(list))?.slides : await currentList(list, number, slide, found)
      const differences = listed ? compare(number, listed, found) : []
      if (!isBuild && differences.length > 0) throw new Error(differences.map(describeDeckProblem).join('\n'))
      problems.push(...differences)
      return undefined
    },
    async buildEnd(error?: Error) {
      if (!isBuild || error) return
      const all = (await readStepList(list))?.slides ?? []
      for (const { place } of all) if (!rendered.has(place.slide)) problems.push(...compare(place.slide, all, []))
      if (problems.length === 0) return
      await writePageProblems(list, problems)
      throw new Error(problems.map(describeDeckProblem).join('\n'))
    },
  }
}

/**
 * Waits until the server has read the version of a slide that Slidev shows. Both read an edited file at the same time.
 *
 * @returns undefined if the slide has no steps, if the deck has errors, or after a timeout
 */
async function currentList(
  path: string,
  number: number,
  { content }: SlideOfPage,
  found: readonly PageStep[],
): Promise<StepList['slides']> {
  const hash = createHash('sha256').update(content).digest('hex')
  for (const end = Date.now() + LIST_TIMEOUT_MS; Date.now() < end; await setTimeout(LIST_INTERVAL_MS)) {
    const list = await readStepList(path)
    if (list && !list.slides) return undefined
    const slide = list?.slides?.[number - 1]
    if (slide?.content === hash) return list?.slides
    if (found.length === 0 && (slide?.steps ?? []).length === 0) return undefined
  }
  return undefined
}
