/**
 * Shorter values are not redacted, because they may occur in ordinary output. `peek` shows fewer characters than this.
 */
const MIN_SECRET_CHARS = 6
/** Held text of more characters than this is redacted and released. */
const MAX_HELD_CHARS = 4096
/** Characters of released output that are kept, because they may be the first letters of a token. */
const CONTEXT_CHARS = 12

/**
 * Tokens with a recognizable form: GitHub, GitLab, Slack, AWS, OpenAI and similar services, Hugging Face, JSON Web
 * Tokens, private keys.
 */
const TOKEN =
  /gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|sk-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|-----BEGIN[A-Z ]*PRIVATE KEY-----/g
/** The beginning of a token at the end of a text. A part of the prefix that names the service is not held back. */
const PARTIAL_TOKEN =
  /(?:gh[pousr]_[A-Za-z0-9]*|github_pat_\w*|glpat-[\w-]*|xox[abprs]-[\w-]*|AKIA[0-9A-Z]{0,15}|sk-[\w-]*|hf_[A-Za-z0-9]*|eyJ[\w.-]*|-----BEGIN[A-Z ]*-{0,4})$/

/**
 * Text that may separate two characters of a secret without being part of it: control sequences and the line breaks of
 * full lines.
 */
const SEPARATOR = /(?:\u001b\[[0-9;?]*[ -/]*[@-~]| ?\r\n?|\n)*/y

/** A range of the text, and its classification. */
interface Match {
  /**
   * `partial`: may be a secret, depending on the text that follows. `key-start` and `key-end`: the first and the last
   * line of a private key, which are not secret themselves.
   */
  kind: 'none' | 'partial' | 'secret' | 'key-start' | 'key-end'
  from: number
  to: number
}

/**
 * Redacts secrets in terminal output before it is stored or sent to viewers that must not see them. Each character of a
 * secret is replaced with an asterisk, so that lines keep their length.
 *
 * A secret is a value from a list, also in its base64 or URL form, or a token of a known form. It is recognized even if
 * it is split between two calls, or interrupted by line breaks of the terminal or by colors.
 */
export class Redactor {
  private readonly secrets: string[]
  private held = ''
  /** Number of held characters that `peek` has already returned. */
  private peeked = 0
  private insideKey = false
  /** The last characters of the text that was released. */
  private context = ''

  /** @param values secrets; those shorter than 6 characters are ignored */
  constructor(values: Iterable<string>) {
    const forms = [...values].flatMap((value) => [
      value,
      Buffer.from(value).toString('base64').replace(/=+$/, ''),
      encodeURIComponent(value),
    ])
    // Sorted from the longest to the shortest, because one secret may begin with another.
    this.secrets = [...new Set(forms)]
      .filter((form) => form.length >= MIN_SECRET_CHARS)
      .sort((a, b) => b.length - a.length)
  }

  /**
   * @param text the next output, split at any position
   * @returns the redacted text; if its end may be the beginning of a secret, that part is held back
   */
  feed(text: string): string {
    const all = this.held + text
    let redacted = ''
    let at = 0
    this.held = ''
    while (at < all.length) {
      const match = this.insideKey ? this.findKeyEnd(all, at) : this.findSecret(all, at)
      redacted += this.insideKey ? toAsterisks(all.slice(at, match.from)) : all.slice(at, match.from)
      if (match.kind === 'none') break
      if (match.kind === 'partial') {
        this.held = all.slice(match.from)
        break
      }
      const matched = all.slice(match.from, match.to)
      redacted += match.kind === 'secret' ? toAsterisks(matched) : matched
      this.insideKey = match.kind === 'key-start'
      at = match.to
    }
    const released = this.held === '' ? all : all.slice(0, -this.held.length)
    this.context = (this.context + released).slice(-CONTEXT_CHARS)
    if (this.held.length > MAX_HELD_CHARS) {
      redacted += toAsterisks(this.held)
      this.held = ''
    }
    const alreadyShown = Math.min(this.peeked, redacted.length)
    this.peeked -= alreadyShown
    return redacted.slice(alreadyShown)
  }

  /**
   * Returns held text that is too short to disclose a secret, so that a typed key appears although a secret may begin
   * with it. If the text turns out to be a secret, the rest of the secret is redacted.
   *
   * @returns held text that has not been returned before; empty if it is too long
   */
  peek(): string {
    if (this.held.length >= MIN_SECRET_CHARS || this.insideKey) return ''
    const text = this.held.slice(this.peeked)
    this.peeked = this.held.length
    return text
  }

  /** Ends the text. @returns the rest of the held text, redacted if it is long enough to disclose a secret */
  end(): string {
    const rest = (this.held.length >= MIN_SECRET_CHARS ? toAsterisks(this.held) : this.held).slice(this.peeked)
    this.held = ''
    this.peeked = 0
    return rest
  }

  /** Finds the first complete or incomplete secret, starting at a position. */
  private findSecret(text: string, from: number): Match {
    let first: Match = { kind: 'none', from: text.length, to: text.length }
    for (const secret of this.secrets) {
      for (
        let start = text.indexOf(secret[0] ?? '', from);
        start >= 0 && start < first.from;
        start = text.indexOf(secret[0] ?? '', start + 1)
      ) {
        const to = matchEnd(text, start, secret)
        if (to === undefined) continue
        first =
          to === 'partial' ? { kind: 'partial', from: start, to: text.length } : { kind: 'secret', from: start, to }
        break
      }
    }
    // If a token began in text that was already released, the rest of the token is redacted.
    const before = from === 0 ? this.context : ''
    TOKEN.lastIndex = 0
    const token = TOKEN.exec(before + text.slice(from))
    if (token) {
      const start = Math.max(0, token.index - before.length) + from
      const to = token.index - before.length + token[0].length + from
      if (start < first.from) {
        if (token[0].startsWith('-----BEGIN')) first = { kind: 'key-start', from: start, to }
        // The token may continue in the next call.
        else first = to === text.length ? { kind: 'partial', from: start, to } : { kind: 'secret', from: start, to }
      }
    }
    const tail = Math.max(from, text.length - MAX_HELD_CHARS)
    const partial = PARTIAL_TOKEN.exec((tail === 0 ? before : '') + text.slice(tail))
    if (partial) {
      const start = tail + Math.max(0, partial.index - (tail === 0 ? before.length : 0))
      if (start < first.from) first = { kind: 'partial', from: start, to: text.length }
    }
    return first
  }

  /** Finds the complete or incomplete last line of a private key, starting at a position inside the key. */
  private findKeyEnd(text: string, from: number): Match {
    const end = /-----END[A-Z ]*-----/.exec(text.slice(from))
    if (end) return { kind: 'key-end', from: from + end.index, to: from + end.index + end[0].length }
    const partial = /(?:-{1,5}|-----E[A-Z ]*-{0,4})$/.exec(text.slice(from))
    return partial
      ? { kind: 'partial', from: from + partial.index, to: text.length }
      : { kind: 'none', from: text.length, to: text.length }
  }
}

/**
 * Redacts a complete text.
 *
 * @param secrets see Redactor
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const redactor = new Redactor(secrets)
  return redactor.feed(text) + redactor.end()
}

/**
 * Matches a secret at a position of the text.
 *
 * @returns the end of the secret; `partial` if the text ends first; undefined if the text does not contain the secret
 * at this position
 */
function matchEnd(text: string, start: number, secret: string): number | 'partial' | undefined {
  let at = start
  for (const [index, character] of [...secret].entries()) {
    if (index > 0) {
      SEPARATOR.lastIndex = at
      at += SEPARATOR.exec(text)?.[0].length ?? 0
      if (at < text.length && /\u001b(?:\[[0-9;?]*)?$| $/.test(text.slice(at)) && text.slice(at).length < 24)
        return 'partial'
    }
    if (at >= text.length) return 'partial'
    if (!text.startsWith(character, at)) return undefined
    at += character.length
  }
  return at
}

/** Replaces printed characters with asterisks. Line breaks and control sequences are kept. */
function toAsterisks(text: string): string {
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u001f]|[^]/gu, (part) =>
    part.length > 1 && part.startsWith('\u001b') ? part : part < ' ' ? part : '*',
  )
}

/**
 * Redacts every string in a value of plain objects and arrays.
 *
 * @param secrets see Redactor
 */
export function redactAll<Value>(value: Value, secrets: readonly string[]): Value {
  return (secrets.length === 0 ? value : redactUnknown(value, secrets)) as Value
}

function redactUnknown(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return redact(value, secrets)
  if (Array.isArray(value)) return value.map((item) => redactUnknown(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactUnknown(item, secrets)]))
}
