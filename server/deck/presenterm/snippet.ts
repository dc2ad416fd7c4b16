import { parse } from 'yaml'
import { z } from 'zod'

/** The info string of a code snippet: `bash +exec +id:build {1-3|all}`. */
export interface SnippetInfo {
  language: string
  /** Attributes without their `+`, by name; the value is the text after the colon. */
  attributes: Map<string, string>
  /** `1-3|all` */
  highlights?: string
}

export function parseSnippetInfo(info: string): SnippetInfo {
  const text = info.trim()
  const [language = ''] = text.split(/[\s{+]/, 1)
  const highlights = /\{([^{}]*)\}/.exec(text)?.[1]
  const attributes = new Map(
    [...text.matchAll(/\+([a-z_]+)(?::(\S+))?/g)].map(([, name = '', value = '']) => [name, value]),
  )
  return { language, attributes, ...(highlights !== undefined && { highlights: highlights.trim() }) }
}

const fileSnippet = z.object({
  path: z.string().min(1),
  language: z.string().default(''),
  start_line: z.number().int().min(1).optional(),
  end_line: z.number().int().min(1).optional(),
})
export type FileSnippet = z.infer<typeof fileSnippet>

/** Parses the body of a `file` snippet. @returns the reason if it is not valid */
export function parseFileSnippet(content: string): FileSnippet | { message: string } {
  try {
    const parsed = fileSnippet.safeParse(parse(content))
    if (parsed.success) return parsed.data
    return { message: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(', ') }
  } catch (error) {
    return { message: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) }
  }
}

/** Languages whose code a shell can run as it is. */
const SHELLS = ['bash', 'sh', 'shell', 'console']

/** Interpreters that read a program from their standard input, by language. */
const INTERPRETERS: Record<string, string> = {
  python: 'python3 -',
  javascript: 'node -',
  js: 'node -',
  ruby: 'ruby -',
  perl: 'perl -',
  php: 'php',
  lua: 'lua -',
  fish: 'fish',
  zsh: 'zsh',
  r: 'Rscript -',
  julia: 'julia -',
}

/** How a step runs code in a language: by itself, through an interpreter, or not at all. */
export function commandFor(language: string, code: string): { command: string; program?: string } | undefined {
  if (SHELLS.includes(language)) return { command: code }
  const interpreter = INTERPRETERS[language.toLowerCase()]
  if (interpreter === undefined) return undefined
  const [program = ''] = interpreter.split(' ')
  return { command: `${interpreter} <<'EOF'\n${code.trimEnd()}\nEOF`, program }
}

/** Prefix of the lines that presenterm runs without showing them. */
function hiddenPrefix(language: string): string {
  return language === 'rust' ? '# ' : '/// '
}

/** Separates the lines that presenterm hides. */
export function splitHidden(language: string, code: string): { visible: string; all: string; hidden: boolean } {
  const prefix = hiddenPrefix(language)
  const lines = code.split('\n')
  return {
    visible: lines.filter((line) => !line.startsWith(prefix)).join('\n'),
    all: lines.map((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : line)).join('\n'),
    hidden: lines.some((line) => line.startsWith(prefix)),
  }
}

/** Whether code consists of comments and empty lines only. */
export function hasNoCommand(code: string): boolean {
  return code.split('\n').every((line) => line.trim() === '' || line.trim().startsWith('#'))
}

/** Creates ids for steps: from the snippet's own id, or from the beginning of its command. */
export class StepIds {
  private readonly used = new Set<string>()

  create(own: string | undefined, command: string): string {
    const first = command.split('\n').find((line) => line.trim() !== '' && !line.trim().startsWith('#')) ?? ''
    const words = own ?? first.replace(/<<.*$/, '').trim().split(/\s+/).slice(0, 2).join('-')
    const name = slug(words) || 'step'
    let id = name
    for (let number = 2; this.used.has(id); number++) id = `${name}-${number}`
    this.used.add(id)
    return id
  }
}

/** A valid id of a step, with space for a number. */
function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '')
}
