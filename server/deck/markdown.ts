import MarkdownExit, { type Token } from 'markdown-exit'
import { parseFence } from '../../shared/deck/fence.ts'
import type { Swallower } from '../../shared/failures/deck-problem.ts'
import { isSnippet, type Snippet } from './snippet.ts'

/** What the server needs to know of a slide's Markdown. Lines are those of the slide's content, from 0. */
export interface SlideMarkdown {
  /** The code blocks that the page shows. */
  fences: Fence[]
  /** Text that looks like the fence of a step, and that the page does not show as a code block. */
  swallowed: { line: number; by: Swallower & { line?: number } }[]
  /** The tags of components and HTML elements, without those in comments. */
  tags: Tag[]
  /** What the browser loads to show the slide. */
  references: MarkdownReference[]
  /** The line in which a comment begins that the page would not close. */
  openComment?: number
}

export interface Fence {
  info: string
  code: string
  line: number
  /** The number of backticks or tildes. */
  length: number
  /** Whether the fence ends before the slide does. */
  closed: boolean
  /** The file that contains the code. */
  snippet?: Snippet
}

/** A URL in Markdown, in the attribute of a tag, or in a style. */
export interface MarkdownReference {
  url: string
  line: number
  /** Whether a component receives the URL, so that the bundler does not know of it. */
  isProp: boolean
}

export interface Tag {
  name: string
  /** The text after the name. */
  attributes: string
  line: number
}

/** The first line of a fence, possibly in a list or a quote. */
const FENCE_LINE = /^[\s>]*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})([^`]*)$/
/** HTML elements whose text is never Markdown (start condition 1 of HTML blocks in CommonMark). */
const RAW_ELEMENTS = ['pre', 'script', 'style', 'textarea']

/** Reads the snippet of a line; see readSnippet(). */
type SnippetReader = (line: string) => Snippet | undefined

/**
 * Markdown with Slidev's rules for blocks. The build compares the steps of the page with those that were read here
 * (page-steps.ts), so that a rule that is missing here cannot go unnoticed.
 */
function createParser() {
  const markdown = new MarkdownExit({ html: true })
  // Messages name URLs as they are written.
  markdown.normalizeLink = (url) => url
  const alt = ['paragraph', 'reference', 'blockquote', 'list']
  markdown.block.ruler.before(
    'fence',
    'snippet',
    (state, startLine, _endLine, silent) => {
      const line = state.src.slice(
        (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0),
        state.eMarks[startLine],
      )
      if (!isSnippet(line)) return false
      if (silent) return true
      const token = state.push('snippet', 'code', 0)
      token.content = line
      token.map = [startLine, startLine + 1]
      state.line = startLine + 1
      return true
    },
    { alt },
  )
  markdown.block.ruler.before(
    'fence',
    'slot',
    (state, startLine, _endLine, silent) => {
      if ((state.sCount[startLine] ?? 0) - state.blkIndent > 0) return false
      const line = state.src.slice(
        (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0),
        state.eMarks[startLine],
      )
      if (!/^::\s*[\w.\-:]+\s*::\s*$/.test(line)) return false
      if (!silent) state.line = startLine + 1
      return true
    },
    { alt },
  )
  return markdown
}

const parser = createParser()

/**
 * Finds code blocks and tags in the Markdown of a slide.
 *
 * @param content as Slidev's parser returns it, without frontmatter and notes
 */
export function parseSlideMarkdown(content: string, readSnippet: SnippetReader): SlideMarkdown {
  const result: SlideMarkdown = { fences: [], swallowed: [], tags: [], references: [] }
  // A comment may begin in one block of HTML and end in another, with Markdown between them.
  const comment = { isOpen: false }
  const html = (text: string, line: number): string => {
    const visible = withoutComments(text, comment.isOpen)
    if (visible.inComment && !(comment.isOpen && !text.includes('-->'))) result.openComment = line
    if (!visible.inComment) delete result.openComment
    comment.isOpen = visible.inComment
    const tags = tagsOf(visible.text, line)
    result.tags.push(...tags)
    result.references.push(...tags.flatMap(tagReferences), ...styleReferences(visible.text, line))
    return visible.text
  }

  for (const token of parser.parse(content, {})) {
    const line = token.map?.[0] ?? 0
    switch (token.type) {
      case 'fence':
      case 'snippet': {
        const fence = token.type === 'fence' ? fenceOf(token, line) : snippetOf(readSnippet(token.content), line)
        if (!fence || comment.isOpen) break
        result.fences.push(fence)
        if (!fence.snippet)
          for (const inner of stepLines(fence.code))
            // A longer fence may show how a step is written.
            if (inner.length >= fence.length)
              result.swallowed.push({ line: line + 1 + inner.line, by: { kind: 'fence', line } })
        break
      }
      case 'html_block': {
        const visible = html(token.content, line)
        const tag = /<([A-Za-z][\w-]*)/.exec(visible)?.[1] ?? ''
        const raw = RAW_ELEMENTS.includes(tag.toLowerCase())
        for (const inner of stepLines(visible))
          result.swallowed.push({ line: line + inner.line, by: { kind: 'html', tag, raw } })
        break
      }
      case 'code_block':
        if (comment.isOpen) break
        for (const inner of stepLines(token.content))
          result.swallowed.push({ line: line + inner.line, by: { kind: 'indentation' } })
        break
      case 'inline': {
        let offset = 0
        for (const child of token.children ?? []) {
          if (child.type === 'html_inline') html(child.content, line + offset)
          const url = child.type === 'image' ? child.attrGet('src') : undefined
          if (typeof url === 'string' && url !== '' && !comment.isOpen)
            result.references.push({ url, line: line + offset, isProp: false })
          if (child.type === 'softbreak' || child.type === 'hardbreak') offset++
          else offset += child.content.split('\n').length - 1
        }
        if (comment.isOpen) break
        // Less indented fences would have ended the paragraph.
        for (const inner of stepLines(token.content))
          result.swallowed.push({ line: line + inner.line, by: { kind: 'indentation' } })
        break
      }
    }
  }
  return result
}

function fenceOf({ info, content, markup, map }: Token, line: number): Fence {
  const lines = content === '' ? 0 : content.replace(/\n$/, '').split('\n').length
  // Besides its code, a closed fence has an opening and a closing line.
  const closed = (map?.[1] ?? 0) - line === lines + 2
  return { info: info.trim(), code: content, line, length: markup.length, closed }
}

function snippetOf(snippet: Snippet | undefined, line: number): Fence | undefined {
  if (!snippet) return undefined
  const code = snippet.content.endsWith('\n') ? snippet.content : `${snippet.content}\n`
  return { info: snippet.info, code, line, length: 0, closed: true, snippet }
}

/** The lines of a text that begin the fence of a step. */
function stepLines(text: string): { line: number; length: number }[] {
  if (!text.includes('step')) return []
  return text.split('\n').flatMap((content, line) => {
    const match = FENCE_LINE.exec(content)
    const fence = match && parseFence(match[2] ?? '')
    return match && fence && 'step' in fence ? [{ line, length: match[1]?.length ?? 0 }] : []
  })
}

/** Replaces comments by spaces, except for their line breaks. */
function withoutComments(text: string, startsInComment: boolean): { text: string; inComment: boolean } {
  let result = ''
  let inComment = startsInComment
  for (let position = 0; position < text.length;) {
    const mark = text.indexOf(inComment ? '-->' : '<!--', position)
    const end = mark < 0 ? text.length : mark + (inComment ? 3 : 4)
    const part = text.slice(position, end)
    result += inComment || mark >= 0 ? blank(part, inComment ? 0 : mark - position) : part
    if (mark >= 0) inComment = !inComment
    position = end
  }
  return { text: result, inComment }
}

/** Replaces the characters of a text by spaces, from a position on, except for line breaks. */
function blank(text: string, from: number): string {
  return text.slice(0, from) + text.slice(from).replace(/[^\n]/g, ' ')
}

function tagsOf(text: string, line: number): Tag[] {
  return [...text.matchAll(/<([A-Za-z][\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/g)].map((match) => ({
    name: match[1] ?? '',
    attributes: match[2] ?? '',
    line: line + linesBefore(text, match.index),
  }))
}

/** Attributes whose value the browser loads, in HTML and in Slidev's components and layouts. */
const LOADED_ATTRIBUTE = /(?:^|\s)(src|poster|data|image|background|href)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

function tagReferences({ name, attributes, line }: Tag): MarkdownReference[] {
  const isProp = /[A-Z-]/.test(name)
  return [...attributes.matchAll(LOADED_ATTRIBUTE)].flatMap((match) => {
    const url = match[2] ?? match[3] ?? ''
    // Links are followed by a click.
    const isLoaded = url !== '' && (match[1] !== 'href' || name === 'link')
    return isLoaded ? [{ url, line: line + linesBefore(attributes, match.index), isProp }] : []
  })
}

function styleReferences(text: string, line: number): MarkdownReference[] {
  const urls = /url\(\s*["']?([^"')\s]+)|@import\s+["']([^"']+)/g
  return [...text.matchAll(urls)].map((match) => ({
    url: match[1] ?? match[2] ?? '',
    line: line + linesBefore(text, match.index),
    isProp: false,
  }))
}

function linesBefore(text: string, position: number): number {
  return text.slice(0, position).split('\n').length - 1
}
