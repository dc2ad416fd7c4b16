import type { ImportIssue } from './problems.ts'

/** Text with code spans, which are not changed: a run of backticks up to a run of the same length. */
const CODE_SPAN = /(?<!`)(`+)(?!`)[^]*?(?<!`)\1(?!`)/g

/** Tags that presenterm supports. */
const TAGS = ['span', 'br']

export interface InlineContext {
  /** Prefix of the attributes of images. */
  imagePrefix: string
  /** Where Slidev finds an image; undefined if it does not exist. */
  resolveImage: (path: string) => string | undefined
  /** @param offset of the issue in the text */
  report: (offset: number, issue: ImportIssue) => void
}

/** Converts text outside of code blocks: escapes what Slidev would interpret, and converts images. */
export function convertInline(text: string, context: InlineContext): string {
  let result = ''
  let end = 0
  for (const match of text.matchAll(CODE_SPAN)) {
    result += convertText(text.slice(end, match.index), end, context) + match[0]
    end = match.index + match[0].length
  }
  return result + convertText(text.slice(end), end, context)
}

function convertText(text: string, offset: number, { imagePrefix, resolveImage, report }: InlineContext): string {
  const pattern =
    /<!--([^]*?)-->|!\[([^\]]*)\]\(([^()\s]+)(?:\s+"[^"]*")?\)|<\/?([a-zA-Z][\w-]*)([^<>]*)>|\{\{|(?<!\\)\$/g
  return text.replace(pattern, (found: string, ...groups: (string | number | undefined)[]) => {
    const [comment, alt, path, tag, rest = '', position] = groups
    const at = offset + Number(position)
    if (comment !== undefined) {
      report(at, { kind: 'nested-command', command: String(comment).trim() })
      return ''
    }
    if (path !== undefined) return image(String(alt), String(path))
    if (tag !== undefined) return convertTag(found, String(tag), String(rest), at)
    return found === '$' ? '\\$' : '&#123;&#123;'

    function image(text: string, source: string): string {
      const address = /^[a-z]+:/i.test(source) ? source : resolveImage(source)
      if (address === undefined) {
        report(at, { kind: 'missing-file', path: source })
        return `(${source})`
      }
      const width = new RegExp(`^${escapePattern(imagePrefix)}w(?:idth)?:(\\d+%)$`).exec(text)?.[1]
      return width === undefined ? `![${text}](${address})` : `<img src="${address}" alt="" style="width: ${width}">`
    }
  })

  function convertTag(found: string, tag: string, rest: string, at: number): string {
    // An address: <https://example.org>, <a@example.org>.
    if (/^[:@.+]/.test(rest)) return found
    if (!TAGS.includes(tag)) {
      report(at, { kind: 'html', text: found })
      return found.replace('<', '&lt;')
    }
    if (/(palette|p):\w/.test(rest) || /class=/.test(rest)) report(at, { kind: 'palette-color' })
    return found
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
