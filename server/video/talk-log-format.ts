import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { serverMessage } from '../../shared/protocol/talk.ts'
import { VideoError } from './failures.ts'

/**
 * The log of a live talk: the messages that an audience window received, with their times. The format is JSON Lines: a
 * header, then `[milliseconds since the start, message]`. Secrets are redacted as they are for the audience.
 */

const logHeader = z.strictObject({
  version: z.literal(1),
  kind: z.literal('understudy-talk'),
  title: z.string(),
  /** When the log was started (ISO 8601). */
  date: z.iso.datetime(),
  /** The version of the deck's text. */
  deck: z.string(),
})
export type LogHeader = z.infer<typeof logHeader>

/** Terminal output. Windows receive it as binary frames; the log contains it as text. */
const output = z.strictObject({ type: z.literal('output'), terminal: z.string(), data: z.string() })
const logMessage = z.union([output, serverMessage])
export type LogMessage = z.infer<typeof logMessage>
const logLine = z.tuple([z.number().nonnegative(), logMessage])
export type LogLine = z.infer<typeof logLine>

export interface ParsedTalkLog {
  header: LogHeader
  lines: LogLine[]
}

/**
 * Parses a talk log. An incomplete last line, left by a crash or a power failure, is ignored.
 *
 * @throws VideoError `invalid-log-header` or `invalid-log-line`
 */
export function parseTalkLog(text: string): ParsedTalkLog {
  const [first = '', ...rest] = text.split('\n')
  const header = logHeader.safeParse(json(first))
  if (!header.success) throw new VideoError({ kind: 'invalid-log-header' })
  const lines: LogLine[] = []
  for (const [index, line] of rest.entries()) {
    if (line === '') continue
    const parsed = logLine.safeParse(json(line))
    if (parsed.success) lines.push(parsed.data)
    else if (index < rest.length - 1) throw new VideoError({ kind: 'invalid-log-line', line: index + 2 })
  }
  return { header: header.data, lines }
}
