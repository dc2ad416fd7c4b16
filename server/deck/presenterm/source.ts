import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import MarkdownExit from 'markdown-exit'
import type { Token } from 'markdown-exit'
import { parse } from 'yaml'
import { z } from 'zod'
import type { ImportIssue, ImportProblem } from './problems.ts'

/** The options in the front matter that change how a deck is read. */
const optionsSchema = z.object({
  implicit_slide_ends: z.boolean().default(false),
  end_slide_shorthand: z.boolean().default(false),
  h1_slide_titles: z.boolean().default(false),
  incremental_lists: z.boolean().default(false),
  command_prefix: z.string().default(''),
  image_attributes_prefix: z.string().default('image:'),
  auto_render_languages: z.array(z.string()).default([]),
})

/** A title may be written as a number. */
const line = z.union([z.string(), z.number()]).transform(String)

const frontMatterSchema = z.object({
  title: line.optional(),
  sub_title: line.optional(),
  event: line.optional(),
  location: line.optional(),
  date: line.optional(),
  author: line.optional(),
  authors: z.array(line).default([]),
  options: optionsSchema.prefault({}),
})
export type FrontMatter = z.infer<typeof frontMatterSchema>

/** A block of Markdown at the top level of a deck. */
export interface Block {
  token: Token
  /** The tokens within the block. */
  inner: Token[]
  /** The source of the block. */
  lines: string[]
  /** Its file, absolute. */
  file: string
  /** Its first line, from 1. */
  line: number
}

/** A deck as presenterm reads it, with the files that it includes. */
export interface PresentermDeck {
  /** Absolute. */
  file: string
  frontMatter: FrontMatter
  blocks: Block[]
  problems: ImportProblem[]
}

const markdown = new MarkdownExit({ html: true })

/**
 * Reads a deck of presenterm.
 *
 * @param file absolute
 * @throws the error of the file system if the file cannot be read
 */
export async function readPresentermDeck(file: string): Promise<PresentermDeck> {
  const text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  const problems: ImportProblem[] = []
  const match = /^---\n(.*?\n)?---[ \t]*(?:\n|$)/s.exec(text)
  const report = (line: number, issue: ImportIssue) => void problems.push({ file: basename(file), line, ...issue })
  const frontMatter = readFrontMatter(match?.[1] ?? '', report)
  const skipped = match?.[0] ?? ''
  const blocks = await readBlocks(file, text.slice(skipped.length), {
    firstLine: skipped.split('\n').length,
    deck: file,
    prefix: frontMatter.options.command_prefix,
    chain: [file],
    problems,
  })
  return { file, frontMatter, blocks, problems }
}

function readFrontMatter(yaml: string, report: (line: number, issue: ImportIssue) => void): FrontMatter {
  const lineOf = (key: string) =>
    Math.max(
      0,
      yaml.split('\n').findIndex((text) => text.startsWith(`${key}:`)),
    ) + 2
  try {
    const data: unknown = parse(yaml) ?? {}
    const parsed = frontMatterSchema.safeParse(data)
    if (parsed.success) {
      for (const key of Object.keys(data ?? {}))
        if (!(key in frontMatterSchema.shape)) report(lineOf(key), { kind: 'front-matter', key })
      return parsed.data
    }
    const [issue] = parsed.error.issues
    const message = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`
    report(lineOf(String(issue?.path[0])), { kind: 'invalid-front-matter', message })
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    report(1, { kind: 'invalid-front-matter', message })
  }
  return frontMatterSchema.parse({})
}

interface Reading {
  /** Line of the text's beginning in its file, from 1. */
  firstLine: number
  deck: string
  prefix: string
  /** The files that include each other, to find cycles. */
  chain: string[]
  problems: ImportProblem[]
}

async function readBlocks(file: string, text: string, reading: Reading): Promise<Block[]> {
  const { firstLine, deck, prefix, chain, problems } = reading
  const lines = text.split('\n')
  const tokens = markdown.parse(text, {})
  const blocks: Block[] = []
  for (const [index, token] of tokens.entries()) {
    if (token.level !== 0 || token.nesting === -1 || !token.map) continue
    const [start, end] = token.map
    const rest = tokens.slice(index + 1)
    const inner =
      token.nesting === 1
        ? rest.slice(
            0,
            rest.findIndex(({ level, nesting }) => level === 0 && nesting === -1),
          )
        : []
    const block: Block = { token, inner, lines: lines.slice(start, end), file, line: firstLine + start }
    const command = parseCommand(block, prefix)
    if (command?.name !== 'include') {
      blocks.push(block)
      continue
    }
    const path = String(command.value)
    const included = join(dirname(file), path)
    const place = { file: relative(dirname(deck), file), line: block.line }
    if (chain.includes(included)) problems.push({ ...place, kind: 'include-cycle', path })
    else if (!existsSync(included)) problems.push({ ...place, kind: 'missing-file', path })
    else {
      const content = (await readFile(included, 'utf8')).replaceAll('\r\n', '\n')
      blocks.push(...(await readBlocks(included, content, { ...reading, firstLine: 1, chain: [...chain, included] })))
    }
  }
  return blocks
}

/** A comment command: `<!-- column: 1 -->` has the name `column` and the value 1. */
export interface Command {
  name: string
  value: unknown
}

/**
 * Parses a block as a command. By presenterm's rules, a comment on one line is a command, and a longer one is a comment
 * unless it is YAML with a known key.
 *
 * @returns undefined if the block is not a comment; an empty name for a comment that is not a command
 */
export function parseCommand({ token, lines }: Block, prefix: string): Command | undefined {
  if (token.type !== 'html_block') return undefined
  const text = lines.join('\n').trim()
  const body = /^<!--([^]*?)-->$/.exec(text)?.[1]?.trim()
  if (body === undefined) return undefined
  const comment = { name: '', value: undefined }
  if (!body.startsWith(prefix)) return comment
  const command = body.slice(prefix.length).trim()
  if (command.startsWith('//')) return comment
  const parsed = parseYaml(command)
  if (typeof parsed === 'string' && !text.includes('\n')) return { name: parsed, value: undefined }
  const [entry] = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []
  if (entry && (!text.includes('\n') || entry[0] === 'speaker_note')) return { name: entry[0], value: entry[1] }
  return text.includes('\n') ? comment : { name: command, value: undefined }
}

function parseYaml(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
