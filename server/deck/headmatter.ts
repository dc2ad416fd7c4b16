import { z } from 'zod'
import { type Keys, keysSchema, withDefaults } from '../../shared/deck/keys.ts'
import { isMap, isScalar, isSeq, parseDocument, type Pair, type Scalar, type YAMLSeq } from 'yaml'

/** The reason why the headmatter cannot be edited. */
export type HeadmatterProblem =
  | { kind: 'invalid-yaml'; message: string }
  /** The headmatter is not a block mapping, or `addons` is neither a name nor a list. */
  | { kind: 'unusual-form' }

/** The text between the delimiters of the first frontmatter, and its position in the file. */
interface Headmatter {
  yaml: string
  start: number
}

/**
 * Adds an addon to the headmatter of a deck. All other text stays as it is, with its comments, line ends and byte order
 * mark.
 *
 * @param text the deck
 * @param addon name of its package
 * @returns the new text; the same text if the deck already uses the addon; or the reason why it cannot be edited
 */
export function addAddon(text: string, addon: string): string | HeadmatterProblem {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const headmatter = findHeadmatter(text)
  if (!headmatter) {
    const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
    return `${mark}---${newline}addons:${newline}  - ${addon}${newline}---${newline}${newline}${text.slice(mark.length)}`
  }
  const edit = editAddons(headmatter.yaml, addon, newline)
  if (edit === undefined) return text
  if ('kind' in edit) return edit
  const start = headmatter.start + edit.start
  return `${text.slice(0, start)}${edit.text}${text.slice(headmatter.start + edit.end)}`
}

/** Finds the first frontmatter as Slidev does: between lines of hyphens, or in a yaml fence at the top. */
function findHeadmatter(text: string): Headmatter | undefined {
  const match =
    /^(\uFEFF?---[^\r\n]*\r?\n)([^]*?)^---/m.exec(text) ?? /^(\s*```ya?ml[^\r\n]*\r?\n)([^]*?)^```/m.exec(text)
  if (match?.index !== 0) return undefined
  const [, opening = '', yaml = ''] = match
  return { yaml, start: opening.length }
}

/** A replacement in the YAML. */
interface Edit {
  start: number
  end: number
  text: string
}

/** @returns undefined if the addon is already listed */
function editAddons(yaml: string, addon: string, newline: string): Edit | HeadmatterProblem | undefined {
  const document = parseDocument(yaml)
  // Slidev takes this for the end of an empty slide.
  if (/^[ \t]*\r?\n/.test(yaml)) return { kind: 'unusual-form' }
  const [error] = document.errors
  if (error) return { kind: 'invalid-yaml', message: error.message.split('\n')[0] ?? '' }
  const insert = (at: number, text: string): Edit => ({ start: at, end: at, text })
  const { contents } = document
  const key = `addons:${newline}  - ${addon}${newline}`
  if (contents === null || (isScalar(contents) && contents.value === null)) return insert(yaml.length, key)
  if (!isMap<Scalar>(contents) || contents.flow) return { kind: 'unusual-form' }
  const pair = contents.items.find((item) => item.key.value === 'addons')
  if (!pair) return insert(yaml.length, `${yaml.endsWith('\n') ? '' : newline}${key}`)
  return editList(yaml, pair, addon, newline)
}

function editList(
  yaml: string,
  { key, value }: Pair<Scalar>,
  addon: string,
  newline: string,
): Edit | HeadmatterProblem | undefined {
  if (isScalar(value) || value === null) {
    const range = isScalar(value) ? value.range : undefined
    const name = isScalar(value) ? value.value : null
    if (names(name, addon)) return undefined
    if (name === null) {
      const colon = yaml.indexOf(':', key.range?.[1]) + 1
      return { start: colon, end: colon, text: ` [${addon}]` }
    }
    if (typeof name !== 'string' || !range) return { kind: 'unusual-form' }
    return { start: range[0], end: range[1], text: `[${yaml.slice(range[0], range[1])}, ${addon}]` }
  }
  if (!isSeq(value) || !value.range) return { kind: 'unusual-form' }
  if (value.items.some((item) => isScalar(item) && names(item.value, addon))) return undefined
  return value.flow ? insertInFlow(yaml, value, addon) : insertInBlock(yaml, value, addon, newline)
}

/** Slidev adds the prefix to short names. */
function names(value: unknown, addon: string): boolean {
  return value === addon || `slidev-addon-${String(value)}` === addon
}

/** `[a, b]` */
function insertInFlow(yaml: string, list: YAMLSeq, addon: string): Edit | HeadmatterProblem {
  const last = list.items.at(-1)
  if (last === undefined) {
    const bracket = yaml.indexOf('[', list.range?.[0]) + 1
    return { start: bracket, end: bracket, text: addon }
  }
  if (!isScalar(last) || !last.range) return { kind: 'unusual-form' }
  return { start: last.range[1], end: last.range[1], text: `, ${addon}` }
}

/** One item a line, after a hyphen. */
function insertInBlock(yaml: string, list: YAMLSeq, addon: string, newline: string): Edit | HeadmatterProblem {
  const last = list.items.at(-1)
  if (!isScalar(last) || !last.range) return { kind: 'unusual-form' }
  const lineStart = yaml.lastIndexOf('\n', last.range[0] - 1) + 1
  const prefix = /^[ \t]*-[ \t]+/.exec(yaml.slice(lineStart))?.[0]
  if (prefix === undefined) return { kind: 'unusual-form' }
  const lineEnd = yaml.indexOf('\n', last.range[1])
  return lineEnd < 0
    ? { start: yaml.length, end: yaml.length, text: `${newline}${prefix}${addon}` }
    : { start: lineEnd + 1, end: lineEnd + 1, text: `${prefix}${addon}${newline}` }
}

/** The keys of the headmatter that concern other packages; those with an invalid value are absent. */
const settingsSchema = z.object({
  theme: z.string().optional().catch(undefined),
  understudy: z
    .object({ keys: keysSchema.optional().catch(undefined) })
    .optional()
    .catch(undefined),
})

/** The theme and the keys that a deck sets in its headmatter, read without Slidev. */
export function headmatterSettings(text: string): { theme?: string; keys: Keys } {
  const data: unknown = parseDocument(findHeadmatter(text)?.yaml ?? '').toJS()
  const { theme, understudy } = settingsSchema.safeParse(data).data ?? {}
  return { ...(theme !== undefined && { theme }), keys: withDefaults(understudy?.keys ?? {}) }
}
