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

const INVALID_KEY =
  'must be false, or a lowercase letter or digit that Slidev does not use (d, f, g, o), optionally after "shift+"'

/** Without Slidev's own letters: dark mode, full screen, go to, overview. */
const KEY = /^(shift\+[a-z0-9]|[a-ceh-np-z0-9])$/

const keySchema = z.union([z.literal(false), z.string().regex(KEY, INVALID_KEY)], INVALID_KEY).exactOptional()

const commands = Object.keys(DEFAULT_KEYS) as KeyCommand[]

/** `understudy.keys` in the headmatter: the keys that differ from the default. Editors show the descriptions. */
export const keysSchema = z
  .strictObject({
    run: keySchema.describe('Run the step. By default r.'),
    interrupt: keySchema.describe('Interrupt the step. By default i.'),
    restart: keySchema.describe('Restart the shell. By default shift+r.'),
    copy: keySchema.describe('Copy the command. By default c.'),
    terminal: keySchema.describe('Type in the terminal. By default t.'),
    replay: keySchema.describe('Switch between the live terminal and the recording. By default l.'),
    pause: keySchema.describe('Pause or continue the recording. By default k.'),
    page: keySchema.describe('Change the size of the page that the step serves. By default p.'),
    share: keySchema.describe("Show the QR code of the audience's link. By default q."),
  })
  .superRefine((keys, context) => {
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
