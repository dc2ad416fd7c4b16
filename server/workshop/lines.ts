import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'
import type { TaskLine } from '../../shared/protocol/workshop.ts'

/** More than this nobody reads; the end of a program's output is kept rather than its beginning. */
const MOST_LINES = 300
/** Characters. */
const LONGEST = 1000

const WORDS = { FAIL: 'fail', OK: 'ok', LOOK: 'look' } as const

/** A line of a task's script: what its first word says it is. */
export function taskLine(text: string): TaskLine {
  const plain = stripVTControlCharacters(text)
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
    .trimEnd()
  const [, word, rest] = /^(FAIL|OK|LOOK): ?(.*)$/.exec(plain) ?? []
  return {
    kind: word === undefined ? 'says' : WORDS[word as keyof typeof WORDS],
    text: (rest ?? plain).slice(0, LONGEST),
  }
}

/** Gathers what a script prints, line by line, while it runs. */
export class Lines {
  private readonly kept: TaskLine[] = []
  private readonly open = {
    stdout: { decoder: new StringDecoder(), text: '' },
    stderr: { decoder: new StringDecoder(), text: '' },
  }
  private readonly tell: (line: TaskLine) => void

  /** @param tell called with each line as soon as it is whole */
  constructor(tell: (line: TaskLine) => void) {
    this.tell = tell
  }

  take(bytes: Buffer, from: 'stdout' | 'stderr'): void {
    const stream = this.open[from]
    const lines = (stream.text + stream.decoder.write(bytes)).split(/\r?\n/)
    // A line without an end is no more than a terminal full of it.
    stream.text = (lines.pop() ?? '').slice(-LONGEST)
    for (const line of lines) this.add(line)
  }

  /** All lines, without empty ones, once the script has ended. What has failed, is met or was looked at is never dropped for other output. */
  end(): TaskLine[] {
    for (const stream of Object.values(this.open)) if (stream.text !== '') this.add(stream.text)
    return this.kept
  }

  private add(text: string): void {
    const line = taskLine(text)
    if (line.text === '') return
    this.kept.push(line)
    if (this.kept.length > MOST_LINES)
      this.kept.splice(
        Math.max(
          0,
          this.kept.findIndex(({ kind }) => kind === 'says'),
        ),
        1,
      )
    this.tell(line)
  }
}
