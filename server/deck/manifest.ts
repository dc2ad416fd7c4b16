import { z } from 'zod'
import { json } from '../../shared/json.ts'

const manifest = z.object({
  scripts: z.record(z.string(), z.string()).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  devDependencies: z.record(z.string(), z.string()).optional(),
})

/** What a package.json must contain. Existing values are kept. */
export interface Additions {
  scripts: Record<string, string>
  dependencies: Record<string, string>
}

/** An edited package.json. */
export interface EditedManifest {
  text: string
  /** The values that were added, as paths: `scripts.start`. */
  added: { path: string; value: string }[]
  /** Scripts with another value, which were kept. */
  kept: { path: string; value: string }[]
}

/**
 * Adds scripts and dependencies to a package.json where they are missing. Like npm, it writes the file with its own
 * indentation and line ends.
 *
 * @returns undefined if the text is not a package.json
 */
export function addToManifest(text: string, { scripts, dependencies }: Additions): EditedManifest | undefined {
  const whole = z.record(z.string(), z.unknown()).safeParse(json(text.replace(/^\uFEFF/, '')))
  const parsed = manifest.safeParse(whole.data)
  if (!whole.success || !parsed.success) return undefined
  const { data } = parsed
  const added: EditedManifest['added'] = []
  const kept: EditedManifest['kept'] = []
  for (const [name, value] of Object.entries(scripts)) {
    const present = data.scripts?.[name]
    if (present === undefined) {
      data.scripts = { ...data.scripts, [name]: value }
      added.push({ path: `scripts.${name}`, value })
    } else if (present !== value) kept.push({ path: `scripts.${name}`, value: present })
  }
  // A deck that has Slidev among its devDependencies gets its addons there too.
  const section = data.devDependencies?.['@slidev/cli'] === undefined ? 'dependencies' : 'devDependencies'
  for (const [name, value] of Object.entries(dependencies)) {
    if (data.dependencies?.[name] !== undefined || data.devDependencies?.[name] !== undefined) continue
    data[section] = sorted({ ...data[section], [name]: value })
    added.push({ path: `${section}.${name}`, value })
  }
  return { text: added.length === 0 ? text : formatLike(text, { ...whole.data, ...changed(data) }), added, kept }
}

/** The parts that may have changed, without absent ones. */
function changed({ scripts, dependencies, devDependencies }: z.infer<typeof manifest>): object {
  return {
    ...(scripts && { scripts }),
    ...(dependencies && { dependencies }),
    ...(devDependencies && { devDependencies }),
  }
}

function sorted(entries: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Formats JSON with the indentation, line ends and byte order mark of another text. */
function formatLike(text: string, data: object): string {
  const indent = /^\uFEFF?\s*\{\s*?\n?([ \t]+)"/.exec(text)?.[1] ?? '  '
  const formatted = JSON.stringify(data, undefined, indent)
  const lines = text.includes('\r\n') ? formatted.replaceAll('\n', '\r\n') : formatted
  const end = /\s*$/.exec(text)?.[0] ?? ''
  return `${text.startsWith('\uFEFF') ? '\uFEFF' : ''}${lines}${end}`
}
