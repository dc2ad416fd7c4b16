import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'
import type { TaskLine } from '../../shared/protocol/workshop.ts'

/** Maximum number of lines per script. Beyond it, the oldest line without a prefix is dropped. */
const MAX_LINES = 300
/** Maximum length of a line, in characters. */
const MAX_LINE_LENGTH = 1000

const PREFIXES = { FAIL: 'fail', OK: 'ok', LOOK: 'look' } as const

/** Parses a line of a task's script: its prefix gives the kind. */
export function parseTaskLine(text: string): TaskLine {
  const plain = stripVTControlCharacters(text)
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
    .trimEnd()
  const [, prefix, rest] = /^(FAIL|OK|LOOK): ?(.*)$/.exec(plain) ?? []
  return {
    kind: prefix === undefined ? 'says' : PREFIXES[prefix as keyof typeof PREFIXES],
    text: (rest ?? plain).slice(0, MAX_LINE_LENGTH),
  }
}

/** Splits the output of a running task script into lines. */
export class ScriptOutput {
  private readonly lines: TaskLine[] = []
  private readonly partial = {
    stdout: { decoder: new StringDecoder(), text: '' },
    stderr: { decoder: new StringDecoder(), text: '' },
  }
  private readonly onLine: (line: TaskLine) => void

  /** @param onLine called with each line as soon as it is complete */
  constructor(onLine: (line: TaskLine) => void) {
    this.onLine = onLine
  }

  write(bytes: Buffer, from: 'stdout' | 'stderr'): void {
    const stream = this.partial[from]
    const lines = (stream.text + stream.decoder.write(bytes)).split(/\r?\n/)
    // Limits the memory if a program never ends its line.
    stream.text = (lines.pop() ?? '').slice(-MAX_LINE_LENGTH)
    for (const line of lines) this.add(line)
  }

  /**
   * @returns the lines of the finished script, without empty ones; lines with a prefix are never dropped in favor of
   * others
   */
  end(): TaskLine[] {
    for (const stream of Object.values(this.partial)) if (stream.text !== '') this.add(stream.text)
    return this.lines
  }

  private add(text: string): void {
    const line = parseTaskLine(text)
    if (line.text === '') return
    this.lines.push(line)
    if (this.lines.length > MAX_LINES) {
      const oldest = this.lines.findIndex(({ kind }) => kind === 'says')
      this.lines.splice(Math.max(0, oldest), 1)
    }
    this.onLine(line)
  }
}
