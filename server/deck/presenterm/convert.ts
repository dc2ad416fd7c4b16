import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import MarkdownExit from 'markdown-exit'
import { bundledLanguages, bundledLanguagesAlias } from 'shiki'
import { convertInline, type InlineContext } from './inline.ts'
import type { ImportIssue, ImportProblem } from './problems.ts'
import { SlideWriter } from './slide.ts'
import {
  commandFor,
  hasNoCommand,
  parseFileSnippet,
  parseSnippetInfo,
  type SnippetInfo,
  splitHidden,
  StepIds,
} from './snippet.ts'
import {
  type Block,
  type Command,
  type FrontMatter,
  parseCommand,
  type PresentermDeck,
  readPresentermDeck,
} from './source.ts'

/** A converted deck. */
export interface ImportedDeck {
  /** The text of slides.md. */
  text: string
  slides: number
  steps: number
  /** What could not be converted, in the order of the source. */
  problems: ImportProblem[]
}

/** Attributes that make code runnable. */
const RUNS = ['exec', 'exec_replace', 'auto_exec', 'pty', 'acquire_terminal']
/** Attributes whose code presenterm runs when the slide is shown. */
const RUNS_AUTOMATICALLY = ['exec_replace', 'auto_exec']

/** Commands of presenterm without an equivalent in Slidev. */
const UNSUPPORTED = ['font_size', 'list_item_newlines', 'incremental_tables']

/**
 * Converts a deck of presenterm to a deck with steps.
 *
 * @param file the deck, absolute
 * @param out the future file of the new deck, absolute: paths are relative to its folder
 * @param addon the package that runs steps
 * @throws the error of the file system if the deck cannot be read
 */
export async function convertPresentermDeck(file: string, out: string, addon: string): Promise<ImportedDeck> {
  const deck = await readPresentermDeck(file)
  const converter = new Converter(deck, dirname(out))
  for (const block of deck.blocks) await converter.convert(block)
  return converter.finish(addon)
}

class Converter {
  private readonly deck: PresentermDeck
  /** The folder of the new deck. */
  private readonly root: string
  private readonly slides: SlideWriter[] = []
  private slide: SlideWriter
  private readonly ids = new StepIds()
  /** The steps of the snippets with an id; undefined if the snippet did not become a step. */
  private readonly snippets = new Map<string, string | undefined>()
  /** Ids of the snippets whose output is shown in another place. */
  private readonly placed: Set<string>

  constructor(deck: PresentermDeck, root: string) {
    this.deck = deck
    this.root = root
    this.slide = this.newSlide()
    const { command_prefix: prefix } = deck.frontMatter.options
    this.placed = new Set(
      deck.blocks.flatMap((block) => {
        const command = parseCommand(block, prefix)
        return command?.name === 'snippet_output' ? [String(command.value)] : []
      }),
    )
  }

  async convert(block: Block): Promise<void> {
    const { token } = block
    const { options } = this.deck.frontMatter
    switch (token.type) {
      case 'html_block': {
        const command = parseCommand(block, options.command_prefix)
        if (!command) this.slide.add(this.inline(block))
        else if (command.name === '') this.report(block, { kind: 'comment' })
        else this.run(block, command)
        return
      }
      case 'hr':
        if (options.end_slide_shorthand) this.endSlide()
        // Slidev would take hyphens for the end of the slide.
        else this.slide.add('***')
        return
      case 'heading_open':
        this.addHeading(block)
        return
      case 'fence':
        await this.addSnippet(block)
        return
      case 'code_block':
        this.slide.add(fence('text', token.content))
        return
      case 'bullet_list_open':
      case 'ordered_list_open':
        this.slide.add(await this.withNestedSnippets(block), this.slide.incrementalLists)
        return
      case 'table_open':
        // Slidev would take a line that begins with hyphens for the end of the slide.
        this.slide.add(this.inline(block).replace(/^(?=---)/gm, '|'))
        return
      default:
        this.slide.add(await this.withNestedSnippets(block))
    }
  }

  finish(addon: string): ImportedDeck {
    this.endSlide()
    const intro = introduction(this.deck.frontMatter)
    const all = intro ? [intro, ...this.slides] : this.slides
    const { frontMatter } = this.deck
    const headmatter = {
      theme: 'default',
      ...(frontMatter.title !== undefined && { title: plainText(frontMatter.title) }),
      ...authorOf(frontMatter),
      addons: [addon],
      fonts: { provider: 'none' },
    }
    if (all.length === 0) all.push(new SlideWriter(false))
    const texts = all.map((slide, index) => {
      const frontmatter = slide.renderFrontmatter(index === 0 ? headmatter : {})
      return `---\n${frontmatter === '' ? '' : `${frontmatter}---\n`}\n${slide.renderBody()}\n`
    })
    return {
      text: texts.join('\n'),
      slides: all.length,
      steps: all.reduce((sum, { steps }) => sum + steps.length, 0),
      problems: this.deck.problems,
    }
  }

  private newSlide(): SlideWriter {
    return new SlideWriter(this.deck.frontMatter.options.incremental_lists)
  }

  private endSlide(): void {
    if (!this.slide.isEmpty) this.slides.push(this.slide)
    this.slide = this.newSlide()
  }

  private report({ file, line }: { file: string; line: number }, issue: ImportIssue): void {
    this.deck.problems.push({ file: relative(dirname(this.deck.file), file), line, ...issue })
  }

  private run(block: Block, { name, value }: Command): void {
    const { slide } = this
    const text = value === undefined ? name : `${name}: ${JSON.stringify(value)}`
    switch (name) {
      case 'end_slide':
        return this.endSlide()
      case 'pause':
        return slide.addPause()
      case 'column_layout': {
        const shares = Array.isArray(value) ? value.map(Number).filter((share) => share > 0) : []
        if (shares.length === 0) return this.report(block, { kind: 'unknown-command', command: text })
        return slide.setLayout({ shares })
      }
      case 'column':
        if (!slide.setColumn(Number(value))) this.report(block, { kind: 'invalid-column', column: Number(value) })
        return
      case 'reset_layout':
        return slide.setLayout(undefined)
      case 'jump_to_middle':
        slide.inMiddle = true
        return
      case 'new_line':
      case 'newline':
        return slide.add('<br>')
      case 'new_lines':
      case 'newlines':
        return slide.add('<br>'.repeat(Math.min(Number(value) || 1, 50)))
      case 'incremental_lists':
        slide.incrementalLists = value === true
        return
      case 'alignment':
        return slide.setAlignment(String(value))
      case 'speaker_note':
        slide.notes.push(String(value).trim())
        return
      case 'skip_slide':
        slide.frontmatter.hide = true
        return
      case 'snippet_output':
        return this.placeTerminal(block, String(value))
      // A new deck has no footer.
      case 'no_footer':
        return
      default:
        this.report(block, {
          kind: UNSUPPORTED.includes(name) ? 'unsupported-command' : 'unknown-command',
          command: text,
        })
    }
  }

  private placeTerminal(block: Block, id: string): void {
    if (!this.snippets.has(id)) return this.report(block, { kind: 'unknown-snippet', id })
    const step = this.snippets.get(id)
    if (step === undefined) return this.report(block, { kind: 'no-terminal', id })
    this.slide.hasTerminal = true
    this.slide.add(`<div class="h-70">\n<Terminal name="${step}" />\n</div>`)
  }

  /** A setext heading is the title of a slide; other headings are within the slide. */
  private addHeading(block: Block): void {
    const { token } = block
    const { options } = this.deck.frontMatter
    const isTitle = token.markup === '=' || token.markup === '-'
    if (isTitle && options.implicit_slide_ends) this.endSlide()
    const text = this.inline({ ...block, lines: isTitle ? block.lines.slice(0, -1) : block.lines })
    if (isTitle) {
      this.slide.add(`# ${text.replace(/\s*\n\s*/g, ' ').trim()}`)
      this.slide.hasTitle = true
      return
    }
    const level = Number(token.tag.slice(1))
    const content = text.trim().replace(/^#+\s*/, '')
    const below = this.slide.hasTitle ? 1 : 0
    if (level === 1 && options.h1_slide_titles) this.slide.hasTitle = true
    this.slide.add(`${'#'.repeat(Math.min(level + below, 6))} ${content}`)
  }

  /** The source of a block, with its text converted. */
  private inline(block: Block): string {
    const text = block.lines.join('\n').trimEnd()
    return convertInline(text, this.inlineContext(block, text))
  }

  private inlineContext(block: Block, text: string): InlineContext {
    return {
      imagePrefix: this.deck.frontMatter.options.image_attributes_prefix,
      resolveImage: (path) => {
        const file = join(dirname(block.file), path)
        return existsSync(file) ? this.pathInDeck(file) : undefined
      },
      report: (offset, issue) =>
        this.report({ file: block.file, line: block.line + text.slice(0, offset).split('\n').length - 1 }, issue),
    }
  }

  /** A path as Slidev resolves it. */
  private pathInDeck(file: string): string {
    const path = relative(this.root, file).split(sep).join('/')
    return path.startsWith('.') ? path : `./${path}`
  }

  /** A block that may contain code, such as a list: the code and the text around it are converted. */
  private async withNestedSnippets(block: Block): Promise<string> {
    const parts: string[] = []
    let end = 0
    const first = block.token.map?.[0] ?? 0
    const part = (from: number, to: number) => ({
      ...block,
      lines: block.lines.slice(from, to),
      line: block.line + from,
    })
    for (const token of block.inner) {
      if (!token.map || (token.type !== 'fence' && token.type !== 'code_block')) continue
      const [from, to] = [token.map[0] - first, token.map[1] - first]
      if (from > end) parts.push(this.inline(part(end, from)))
      const nested = { ...part(from, to), token, inner: [] }
      const indent = /^[\s>]*/.exec(nested.lines[0] ?? '')?.[0] ?? ''
      parts.push(
        token.type === 'fence'
          ? (await this.snippet(nested)).replace(/^/gm, indent)
          : nested.lines.join('\n').trimEnd(),
      )
      end = to
    }
    if (end < block.lines.length) parts.push(this.inline(part(end, block.lines.length)))
    return parts.join('\n').trimEnd()
  }

  private async addSnippet(block: Block): Promise<void> {
    this.slide.add(await this.snippet(block))
  }

  /** Converts code: to a step if presenterm could run it, otherwise to code that is shown. */
  private async snippet(block: Block): Promise<string> {
    let info = parseSnippetInfo(block.token.info)
    let { content } = block.token
    if (info.language === 'file') {
      const read = await this.readFileSnippet(block, info)
      if (typeof read === 'string') return read
      ;({ info, content } = read)
    }
    const { language, attributes } = info
    for (const name of ['env', 'no_background', 'validate', 'image'])
      if (attributes.has(name)) this.report(block, { kind: 'attribute', attribute: `+${name}` })
    const rendered = this.rendered(block, info, content)
    if (rendered !== undefined) return rendered

    const code = splitHidden(language, content)
    const runs = RUNS.some((name) => attributes.has(name)) && !attributes.has('image')
    const own = attributes.get('id')
    if (own !== undefined) this.snippets.set(own, undefined)
    if (!runs) return shown(info, code.visible)
    const executed = commandFor(language, code.all)
    if (!executed || hasNoCommand(executed.command)) {
      this.report(block, executed ? { kind: 'empty-snippet' } : { kind: 'not-runnable', language })
      return shown(info, code.visible)
    }
    if (executed.program !== undefined) this.report(block, { kind: 'here-document', program: executed.program })
    if (code.hidden) this.report(block, { kind: 'hidden-lines' })
    for (const name of RUNS_AUTOMATICALLY)
      if (attributes.has(name)) this.report(block, { kind: 'not-automatic', attribute: `+${name}` })
    // The step has lines that presenterm does not show, so the numbers of the others differ.
    const isShifted = code.hidden || executed.program !== undefined
    if (isShifted && info.highlights !== undefined)
      this.report(block, { kind: 'attribute', attribute: `{${info.highlights}}` })
    const options = blockOptions(isShifted ? { attributes } : info)
    return this.step(executed.command, commandFor(language, code.visible)?.command ?? '', attributes, options)
  }

  /**
   * @param visible the command without hidden lines, from which the step gets its id
   * @param options braces with the options of the code block
   */
  private step(command: string, visible: string, attributes: Map<string, string>, options: string): string {
    const own = attributes.get('id')
    const id = this.ids.create(own, visible)
    this.slide.steps.push(id)
    if (['failure', 'fail'].includes(attributes.get('expect') ?? ''))
      this.slide.contracts[id] = { expect: { failure: true } }
    if (own !== undefined) this.snippets.set(own, id)
    const terminal = own !== undefined && this.placed.has(own) ? ` terminal=${id}` : ''
    return fence([`sh {step=${id}${terminal}}`, options].filter(Boolean).join(' '), command)
  }

  /** Code that presenterm renders: diagrams and formulas. */
  private rendered(block: Block, { language, attributes }: SnippetInfo, content: string): string | undefined {
    const { auto_render_languages: automatic } = this.deck.frontMatter.options
    if (!attributes.has('render') && !automatic.includes(language)) return undefined
    if (language === 'mermaid') {
      const width = /^(\d+)%$/.exec(attributes.get('width') ?? '')?.[1]
      return fence(width === undefined ? 'mermaid' : `mermaid {scale: ${Number(width) / 100}}`, content)
    }
    if (language === 'latex')
      return `$$\n${content
        .trim()
        .replace(/^\\\[|\\\]$/g, '')
        .trim()}\n$$`
    this.report(block, { kind: 'unrendered', language })
    return shown({ language, attributes }, content)
  }

  /** Reads the file that a `file` snippet names. @returns code that is shown instead if that fails */
  private async readFileSnippet(
    block: Block,
    info: SnippetInfo,
  ): Promise<{ info: SnippetInfo; content: string } | string> {
    const snippet = parseFileSnippet(block.token.content)
    if ('message' in snippet) {
      this.report(block, { kind: 'invalid-file-snippet', message: snippet.message })
      return fence('yaml', block.token.content)
    }
    const { path, language, start_line: start = 1, end_line: end } = snippet
    const file = join(dirname(block.file), path)
    if (!existsSync(file)) {
      this.report(block, { kind: 'missing-file', path })
      return fence('yaml', block.token.content)
    }
    const lines = (await readFile(file, 'utf8')).replaceAll('\r\n', '\n').split('\n')
    return { info: { ...info, language }, content: lines.slice(start - 1, end).join('\n') }
  }
}

/** Code that is shown. */
function shown(info: SnippetInfo, code: string): string {
  return fence([shownLanguage(info.language), blockOptions(info)].filter(Boolean).join(' '), code)
}

/** Slidev's options of a code block: highlighted lines and line numbers. */
function blockOptions({ attributes, highlights }: Pick<SnippetInfo, 'attributes' | 'highlights'>): string {
  const braces = [
    ...(highlights === undefined ? [] : [`{${highlights}}`]),
    ...(attributes.has('line_numbers') ? ['{lines:true}'] : []),
  ]
  return braces.join('')
}

/** The language for highlighting. Slidev renders diagrams instead of showing their source. */
function shownLanguage(language: string): string {
  const name = language.toLowerCase()
  if (name === '' || name === 'mermaid' || name === 'plantuml') return 'text'
  return name in bundledLanguages || name in bundledLanguagesAlias ? name : 'text'
}

/** Fenced code, with more backticks than the code contains. */
function fence(info: string, code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length))
  const ticks = '`'.repeat(longest + 1)
  return `${ticks}${info}\n${code.replace(/\n+$/, '')}\n${ticks}`
}

/** presenterm's introduction slide: the title, and who presents it where. */
function introduction(frontMatter: FrontMatter): SlideWriter | undefined {
  const { title, sub_title: subtitle, event, location, date, author, authors } = frontMatter
  const lines = [subtitle, [event, location, date].filter(Boolean).join(', '), author, ...authors].filter(Boolean)
  if (title === undefined && lines.length === 0) return undefined
  const slide = new SlideWriter(false)
  slide.frontmatter.layout = 'cover'
  if (title !== undefined) slide.add(`# ${title}`)
  for (const line of lines) slide.add(String(line))
  return slide
}

function authorOf({ author, authors }: FrontMatter): { author?: string } {
  const names = author === undefined ? authors : [author]
  return names.length === 0 ? {} : { author: names.map(plainText).join(', ') }
}

/** Markdown without its formatting. */
function plainText(text: string): string {
  const [inline] = new MarkdownExit().parseInline(text, {})
  return (inline?.children ?? []).map(({ content }) => content).join('')
}
