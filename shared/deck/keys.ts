import { z } from 'zod'

/** The addon's keys on a slide, by command. */
export const DEFAULT_KEYS = {
  run: 'r',
  interrupt: 'i',
  restart: 'shift+r',
  copy: 'c',
  terminal: 't',
  replay: 'l',
  pause: 'k',
  page: 'p',
  share: 'q',
} as const

/** A command that has a key. */
export type KeyCommand = keyof typeof DEFAULT_KEYS

/** The key of each command; false if it has none. */
export type Keys = Record<KeyCommand, string | false>

/** Slidev's own letters: dark mode, go to, overview, full screen. */
const SLIDEV_KEYS = ['d', 'g', 'o', 'f']

const keySchema = z.custom<string | false>(
  (key) => key === false || (typeof key === 'string' && /^(shift\+)?[a-z0-9]$/.test(key) && !SLIDEV_KEYS.includes(key)),
  'must be false, or a lowercase letter or digit that Slidev does not use (d, f, g, o), optionally after "shift+"',
)

const commands = Object.keys(DEFAULT_KEYS) as KeyCommand[]

/** `understudy.keys` in the headmatter: the keys that differ from the default. */
export const keysSchema = z.partialRecord(z.enum(commands), keySchema).superRefine((keys, context) => {
  const all = withDefaults(keys)
  for (const command of commands) {
    const other = commands.find((each) => each !== command && all[each] !== false && all[each] === all[command])
    if (other !== undefined && keys[command] !== undefined)
      context.addIssue({
        code: 'custom',
        path: [command],
        message: `"${String(all[command])}" is also the key of "${other}": choose another, or set ${other}: false`,
      })
  }
})

/** The key of each command: the deck's, otherwise the default. */
export function withDefaults(keys: z.infer<typeof keysSchema>): Keys {
  return { ...DEFAULT_KEYS, ...keys }
}
