import { createHash } from 'node:crypto'
import { dirname, relative } from 'node:path'
import type { SlideInfo, SourceSlideInfo } from '@slidev/types'
import { z } from 'zod'
import { type Contract, contractSchema } from '../../shared/deck/contract.ts'
import { commandOf, parseFence } from '../../shared/deck/fence.ts'
import { declaredContractsSchema, slideKeys } from './author-keys.ts'
import { hashCommand } from './command-hash.ts'
import { frontmatterLine } from './frontmatter.ts'
import { misspelledInputs, placeholders } from './inputs.ts'
import { invalidValues } from './invalid-values.ts'
import { nearestEqual, placeOf, type Slides } from './load-slides.ts'
import { type Fence, type MarkdownReference, parseSlideMarkdown } from './markdown.ts'
import { deckProblem } from './problems.ts'
import type { DeckIssue, DeckProblem, Place } from '../../shared/failures/deck-problem.ts'
import type { SlideTerminals } from './shown-terminals.ts'
import { readSnippet, type Snippet } from './snippet.ts'
import type { DeckSlide, DeckTask, Reference, Step } from './step.ts'
import { promptLine, suspiciousCharacters } from './suspicious.ts'
import { readTask, TaskError } from './task.ts'

interface ReadSlide {
  steps: readonly Step[]
  /** The ids of all steps of the slide, including invalid ones. */
  ids: readonly string[]
}

/** What the slides of a deck contain, in the deck's order. */
export interface DeckContents {
  steps: Map<string, Step>
  tasks: Map<string, DeckTask>
  slides: (DeckSlide & SlideTerminals & ReadSlide)[]
  /** Files of snippets, absolute, with their text. */
  snippets: Map<string, string>
  problems: DeckProblem[]
}

/** Keys of a slide's frontmatter with an image, in the layouts of Slidev. `background` may also be a color. */
const IMAGE_KEYS = ['image', 'backgroundImage', 'background'] as const

const mapSchema = z.record(z.string(), z.unknown())

/** Reads a slide into the contents of its deck. */
export async function readSlide(deck: Slides, slide: SlideInfo, contents: DeckContents): Promise<void> {
  const reader = new SlideReader(deck, slide, contents)
  reader.read()
  await reader.readTask()
}

/** Finds the steps in the Markdown of a slide that the page does not show. */
export function hiddenSteps(deck: Slides, source: SourceSlideInfo): { id: string; place: Place }[] {
  const file = deck.files.get(source.filepath)
  return parseSlideMarkdown(source.content, snippetReader(deck, source)).fences.flatMap(({ info }) => {
    const fence = parseFence(info)
    if (!fence || 'issue' in fence) return []
    return [{ id: fence.step, place: placeOf(deck.root, source, file, source.start) }]
  })
}

/** The contracts in the frontmatter of a slide or an importer, if they are valid. */
export function declaredContracts({ frontmatter }: SourceSlideInfo): Record<string, unknown> {
  return declaredContractsSchema.safeParse(frontmatter.steps).data ?? {}
}

function snippetReader({ root, allowedRoots }: Slides, source: SourceSlideInfo) {
  return (line: string) => readSnippet(line, source.filepath, root, allowedRoots)
}

/** The fence of a step. */
interface ReadFence {
  step: string
  terminal?: string
  command: string
  place: Place
}

class SlideReader {
  private readonly deck: Slides
  private readonly slide: SlideInfo
  private readonly number: number
  private readonly contents: DeckContents
  /** The slide and its importers, the outermost one last. An importer's frontmatter replaces the slide's. */
  private readonly sources: readonly SourceSlideInfo[]

  constructor(deck: Slides, slide: SlideInfo, contents: DeckContents) {
    this.deck = deck
    this.slide = slide
    this.number = slide.index + 1
    this.contents = contents
    this.sources = [slide.source, ...(slide.importChain ?? []).toReversed()]
  }

  read(): void {
    const { source, frontmatter, content } = this.slide
    const markdown = parseSlideMarkdown(content, snippetReader(this.deck, source))
    this.readValue(['pace'], slideKeys.pace, frontmatter.pace)
    this.readValue(['runOnNext'], slideKeys.runOnNext, frontmatter.runOnNext)
    const fences = markdown.fences.flatMap((fence) => this.readFence(fence) ?? [])
    const steps = this.readSteps(fences)
    for (const { line, by } of markdown.swallowed) {
      const outer = by.line === undefined ? undefined : this.placeInContent(by.line).line
      this.report(this.placeInContent(line), {
        kind: 'swallowed-step',
        by: { ...by, ...(outer !== undefined && { line: outer }) },
      })
    }
    if (markdown.openComment !== undefined)
      this.report(this.placeInContent(markdown.openComment), { kind: 'comment-not-closed' })
    const { headmatter } = this.deck.data
    const layout = [frontmatter.layout, mapSchema.safeParse(headmatter.defaults).data?.layout].find(
      (name): name is string => typeof name === 'string',
    )
    const file = this.deck.files.get(source.filepath)
    this.contents.slides.push({
      place: { ...placeOf(this.deck.root, source, file, source.start), slide: this.number },
      content: createHash('sha256').update(content).digest('hex'),
      layout: layout ?? (this.number === 1 ? 'cover' : 'default'),
      tags: markdown.tags.map((tag) => ({ ...tag, place: this.placeInContent(tag.line) })),
      references: this.references(markdown.fences, markdown.references),
      steps,
      ids: fences.map(({ step }) => step),
    })
  }

  /** The server that draws the diagrams of PlantUML: by default, as in Slidev, PlantUML's own. */
  private plantUmlServer(): string {
    const { plantUmlServer }: Record<string, unknown> = this.deck.data.headmatter
    return typeof plantUmlServer === 'string' ? plantUmlServer : 'https://www.plantuml.com/plantuml'
  }

  private references(fences: readonly Fence[], found: readonly MarkdownReference[]): Reference[] {
    const folder = dirname(this.slide.source.filepath)
    const { frontmatter } = this.slide
    const values: Record<string, unknown> = frontmatter
    return [
      ...IMAGE_KEYS.flatMap((key): Reference[] => {
        const url = values[key]
        return typeof url === 'string' && (key !== 'background' || /^(\.{0,2}\/|https?:|url\()/.test(url))
          ? [{ url: url.replace(/^url\(["']?|["']?\)$/g, ''), loadedBy: 'prop', folder, place: this.placeOfKey([key]) }]
          : []
      }),
      ...fences
        .filter(({ info }) => /^plantuml\b/.test(info))
        .map(({ line }): Reference => ({
          url: this.plantUmlServer(),
          loadedBy: 'bundled',
          folder,
          place: this.placeInContent(line),
        })),
      ...found.map(({ url, line, isProp }): Reference => ({
        url,
        loadedBy: isProp ? 'prop' : 'bundled',
        folder,
        place: this.placeInContent(line),
      })),
    ]
  }

  async readTask(): Promise<void> {
    const id = this.readValue(['task'], slideKeys.task, this.slide.frontmatter.task)
    if (id === undefined) return
    const { tasks } = this.contents
    const place = this.placeOfKey(['task'])
    const prior = tasks.get(id)
    if (prior) {
      if (!isSamePlace(prior.place, place)) this.report(place, { kind: 'duplicate-task', task: id, first: prior.place })
      return
    }
    try {
      tasks.set(id, { ...(await readTask(this.deck.root, id)), slide: this.number, place })
    } catch (error) {
      if (!(error instanceof TaskError)) throw error
      for (const message of error.problems) this.report(place, { kind: 'task', message })
    }
  }

  private report(place: Place, issue: DeckIssue): void {
    this.contents.problems.push(deckProblem(place, issue))
  }

  /** Validates a value in the frontmatter. Returns undefined if it is absent or invalid. */
  private readValue<T>(path: readonly string[], schema: z.ZodType<T>, value: unknown): T | undefined {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    for (const issue of invalidValues(path, schema, parsed.error)) this.report(this.placeOfKey(issue.key), issue)
    return undefined
  }

  /** The position of a key in the frontmatter of the slide or of an importer. */
  private placeOfKey(path: readonly PropertyKey[]): Place {
    const depth = (source: SourceSlideInfo) => {
      let value: unknown = source.frontmatter
      return path.findIndex((key) => {
        value = mapSchema.safeParse(value).data?.[String(key)]
        return value === undefined
      })
    }
    const rank = (source: SourceSlideInfo) => (depth(source) < 0 ? path.length : depth(source))
    // The outermost importer comes last, and its value counts.
    const [source = this.slide.source] = this.sources.toReversed().sort((a, b) => rank(b) - rank(a))
    const file = this.deck.files.get(source.filepath)
    return placeOf(this.deck.root, source, file, frontmatterLine(source, file?.lines ?? [], path), this.number)
  }

  /** The position of a line of the slide's Markdown, from 0. */
  private placeInContent(line: number): Place {
    const { source, content } = this.slide
    const file = this.deck.files.get(source.filepath)
    const lines = file?.lines.slice(0, source.end) ?? []
    const contentLines = content.split('\n')
    // Slidev trims the content: its first line is the first non-empty one after the frontmatter.
    let first = source.contentStart
    while (first < source.end && (lines[first] ?? '').trim() === '') first++
    const expected = first + line
    const text = contentLines[line] ?? ''
    // They differ if a preparser has changed the slide, or if its frontmatter is a code block.
    const isExpected = lines[expected]?.trim() === text.trim()
    const found = isExpected ? expected : nearestEqual(lines, text, expected)
    return placeOf(
      this.deck.root,
      source,
      file,
      found === undefined || found < source.start ? source.start : found,
      this.number,
    )
  }

  private readSteps(fences: readonly ReadFence[]): Step[] {
    const contracts = this.mergedContracts()
    for (const id of Object.keys(declaredContracts(this.slide.source)))
      if (!fences.some((fence) => fence.step === id))
        this.report(this.placeOfKey(['steps', id]), { kind: 'contract-without-step', step: id })

    const parsed = fences.flatMap((fence) => {
      const contract = this.readValue(['steps', fence.step], contractSchema, contracts.get(fence.step) ?? {})
      return contract ? [{ ...fence, contract }] : []
    })
    // A step that keeps running would block the other steps of a shared terminal, so it gets its own terminal.
    const shared = parsed.find(({ contract, terminal }) => !contract.ready && terminal === undefined)?.step
    return parsed.flatMap(({ step: id, command, place, terminal, contract }) => {
      this.checkInputs(id, command, contract, place)
      return (
        this.addStep({
          id,
          command,
          hash: hashCommand(command),
          terminal: terminal ?? (contract.ready ? id : (shared ?? id)),
          contract,
          slide: this.number,
          slides: [this.number],
          place,
        }) ?? []
      )
    })
  }

  /** Adds a step, or another slide of a step that is already known. Returns undefined if there are two with this id. */
  private addStep(step: Step): Step | undefined {
    const { steps } = this.contents
    const prior = steps.get(step.id)
    if (!prior) {
      steps.set(step.id, step)
      return step
    }
    if (!isSamePlace(prior.place, step.place) || prior.slides.includes(this.number)) {
      this.report(step.place, { kind: 'duplicate-step', step: step.id, first: prior.place })
      return undefined
    }
    // The same fence, imported twice.
    if (JSON.stringify(prior.contract) !== JSON.stringify(step.contract))
      this.report(step.place, { kind: 'different-contracts', step: step.id, first: prior.place })
    const both = { ...prior, slides: [...prior.slides, this.number] }
    steps.set(step.id, both)
    return both
  }

  /** The contracts of the slide's steps. Importers add and replace keys. */
  private mergedContracts(): Map<string, unknown> {
    const contracts = new Map<string, unknown>()
    // Reported with its position by the call for the merged value.
    this.readValue(['steps'], declaredContractsSchema, this.slide.frontmatter.steps)
    for (const source of this.sources)
      for (const [id, contract] of Object.entries(declaredContracts(source))) {
        const inner = mapSchema.safeParse(contracts.get(id))
        const outer = mapSchema.safeParse(contract)
        contracts.set(id, inner.success && outer.success ? { ...inner.data, ...outer.data } : contract)
      }
    return contracts
  }

  private readFence(fence: Fence): ReadFence | undefined {
    const { info, code, line, snippet } = fence
    const place = this.placeInContent(line)
    const isMagicMove = /^(md|markdown)\s+magic-move\b/.test(info)
    if (isMagicMove && /^\s*(```|<<<).*\{[^{}]*\bstep\s*=/m.test(code))
      this.report(place, { kind: 'step-in-magic-move' })
    if (snippet) this.contents.snippets.set(snippet.file, snippet.text)
    if (snippet?.failure !== undefined && snippet.failure !== 'missing-region') {
      this.report(place, { kind: 'snippet', path: snippet.path, reason: snippet.failure })
      return undefined
    }

    const parsed = parseFence(info)
    if (!parsed) return undefined
    if ('issue' in parsed) {
      this.report(place, { kind: 'fence', issue: parsed.issue })
      return undefined
    }
    const { step, terminal, language } = parsed
    // Slidev shows the whole file, which is what would be typed.
    if (snippet?.failure !== undefined)
      this.report(place, { kind: 'snippet', path: snippet.path, reason: snippet.failure })
    if (!fence.closed) this.report(place, { kind: 'fence-not-closed', step })
    const command = commandOf(code, language)
    if (isEmpty(command)) this.report(place, { kind: 'empty-step', step })
    this.checkCommand(step, language, command, fence)
    return { step, ...(terminal !== undefined && { terminal }), command, place }
  }

  private checkCommand(step: string, language: string, command: string, { code, line, snippet }: Fence): void {
    const placeInCode = (index: number) =>
      snippet ? this.placeInSnippet(snippet, code, index) : this.placeInContent(line + 1 + index)
    const codeLines = code.split('\n')
    for (const { line: index, character } of suspiciousCharacters(code))
      // Output in a transcript is not typed.
      if (language !== 'console' || command.includes(codeLines[index]?.replace(/^\s*[$>] /, '') ?? ''))
        this.report(placeInCode(index), { kind: 'suspicious-character', step, character })
    const prompt = promptLine(code, language)
    if (prompt !== undefined) this.report(placeInCode(prompt), { kind: 'prompt-in-command', step })
  }

  private placeInSnippet({ file, text }: Snippet, code: string, index: number): Place {
    const line = (code.split('\n')[index] ?? '').trim()
    const found = text.split('\n').findIndex((each) => each.trim() === line)
    return { file: relative(this.deck.root, file), line: Math.max(found, 0) + 1, slide: this.number }
  }

  private checkInputs(step: string, command: string, { inputs }: Contract, place: Place): void {
    const used = placeholders(command)
    const declared = Object.keys(inputs)
    for (const { written, input } of misspelledInputs(command, declared))
      this.report(place, { kind: 'similar-input', step, written, input })
    for (const input of declared) if (!used.includes(input)) this.report(place, { kind: 'unused-input', step, input })
  }
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.file === b.file && a.line === b.line
}

/** Whether a command consists of comments only. */
function isEmpty(command: string): boolean {
  return command.split('\n').every((line) => line.trim() === '' || line.trim().startsWith('#'))
}
