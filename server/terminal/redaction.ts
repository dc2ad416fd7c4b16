/**
 * Takes secrets out of terminal output before it is kept or shown to others. Every character of a secret becomes an asterisk, so that
 * lines break where they broke before.
 *
 * A secret is a value that was named (and its base64 and URL forms), or a token that gives itself away by its form. It is found
 * although it comes in pieces, and although the terminal, or a program that colours its output, puts something in between.
 */
export class Redactor {
  private readonly secrets: string[]
  private held = ''
  /** Characters of what is held back that were shown all the same. */
  private peeked = 0
  private inKey = false
  private context = ''

  /** @param values to hide; those under 6 characters are no secrets and would hide half of the screen */
  constructor(values: Iterable<string>) {
    const forms = [...values].flatMap((value) => [
      value,
      Buffer.from(value).toString('base64').replace(/=+$/, ''),
      encodeURIComponent(value),
    ])
    // The longest first: one secret may begin with another.
    this.secrets = [...new Set(forms)].filter((form) => form.length >= SHORTEST).sort((a, b) => b.length - a.length)
  }

  /** @returns what can be shown; the end of the text is held back where it may be the beginning of a secret */
  feed(text: string): string {
    const all = this.held + text
    let out = ''
    let at = 0
    this.held = ''
    while (at < all.length) {
      const found = this.inKey ? this.keyEnd(all, at) : this.next(all, at)
      out += this.inKey ? hide(all.slice(at, found.from)) : all.slice(at, found.from)
      if (found.kind === 'none') break
      if (found.kind === 'partial') {
        this.held = all.slice(found.from)
        break
      }
      if (found.kind === 'secret') out += hide(all.slice(found.from, found.to))
      else out += all.slice(found.from, found.to)
      this.inKey = found.kind === 'key'
      at = found.to
    }
    // The last that was let through, of this text or of the ones before.
    const passed = this.held === '' ? all : all.slice(0, -this.held.length)
    this.context = (this.context + passed).slice(-CONTEXT)
    // What is longer than this is no secret that is still to end.
    if (this.held.length > LONGEST) {
      out += hide(this.held)
      this.held = ''
    }
    const again = Math.min(this.peeked, out.length)
    this.peeked -= again
    return out.slice(again)
  }

  /**
   * What is held back, where it is too short to tell anything: for a screen on which a key that was typed must appear, although a secret
   * may begin with it. It is remembered: should it go on as a secret, the rest is hidden.
   */
  peek(): string {
    if (this.held.length >= SHORTEST || this.inKey) return ''
    const rest = this.held.slice(this.peeked)
    this.peeked = this.held.length
    return rest
  }

  /** Nothing comes after this. A beginning that was held back is hidden where it is most of a secret. */
  end(): string {
    const rest = (this.held.length >= SHORTEST ? hide(this.held) : this.held).slice(this.peeked)
    this.held = ''
    this.peeked = 0
    return rest
  }

  private next(text: string, from: number): Found {
    let first: Found = { kind: 'none', from: text.length, to: text.length }
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
    // A token may have begun in what was let through: then its rest is hidden.
    const before = from === 0 ? this.context : ''
    TOKEN.lastIndex = 0
    const token = TOKEN.exec(before + text.slice(from))
    if (token) {
      const start = Math.max(0, token.index - before.length) + from
      const to = token.index - before.length + token[0].length + from
      if (start < first.from) {
        if (token[0].startsWith('-----BEGIN')) first = { kind: 'key', from: start, to }
        // It may go on in the next piece.
        else first = to === text.length ? { kind: 'partial', from: start, to } : { kind: 'secret', from: start, to }
      }
    }
    const tail = Math.max(from, text.length - LONGEST)
    const begun = TOKEN_BEGUN.exec((tail === 0 ? before : '') + text.slice(tail))
    if (begun) {
      const start = tail + Math.max(0, begun.index - (tail === 0 ? before.length : 0))
      if (start < first.from) first = { kind: 'partial', from: start, to: text.length }
    }
    return first
  }

  /** Within a private key: everything is secret up to its last line. */
  private keyEnd(text: string, from: number): Found {
    const end = /-----END[A-Z ]*-----/.exec(text.slice(from))
    if (end) return { kind: 'clear', from: from + end.index, to: from + end.index + end[0].length }
    const begun = /(?:-{1,5}|-----E[A-Z ]*-{0,4})$/.exec(text.slice(from))
    return begun
      ? { kind: 'partial', from: from + begun.index, to: text.length }
      : { kind: 'none', from: text.length, to: text.length }
  }
}

/** Takes secrets out of a text that is whole. */
export function redact(text: string, secrets: Iterable<string>): string {
  const redactor = new Redactor(secrets)
  return redactor.feed(text) + redactor.end()
}

interface Found {
  /** `partial`: more has to come to know. `key`: a private key begins. `clear`: it ends. */
  kind: 'none' | 'partial' | 'secret' | 'key' | 'clear'
  from: number
  to: number
}

const SHORTEST = 6
const LONGEST = 4096

/** Tokens that give themselves away: GitHub, GitLab, Slack, AWS, OpenAI and its like, Hugging Face, JSON Web Tokens, private keys. */
const TOKEN =
  /gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|sk-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|-----BEGIN[A-Z ]*PRIVATE KEY-----/g
/** The beginning of one, at the end of a text. Its first letters alone tell nothing and hold nothing back. */
const TOKEN_BEGUN =
  /(?:gh[pousr]_[A-Za-z0-9]*|github_pat_\w*|glpat-[\w-]*|xox[abprs]-[\w-]*|AKIA[0-9A-Z]{0,15}|sk-[\w-]*|hf_[A-Za-z0-9]*|eyJ[\w.-]*|-----BEGIN[A-Z ]*-{0,4})$/
/** Characters of what was let through that may be the first letters of a token. */
const CONTEXT = 12

/** What may stand between two characters of a secret without being a part of it: a control sequence, or the break of a full line. */
const BETWEEN = /(?:\u001b\[[0-9;?]*[ -/]*[@-~]| ?\r\n?|\n)*/y

/** Where a secret that begins here ends; `partial` where the text is over before it. */
function matchEnd(text: string, start: number, secret: string): number | 'partial' | undefined {
  let at = start
  for (const [index, character] of [...secret].entries()) {
    if (index > 0) {
      BETWEEN.lastIndex = at
      at += BETWEEN.exec(text)?.[0].length ?? 0
      if (at < text.length && /\u001b(?:\[[0-9;?]*)?$| $/.test(text.slice(at)) && text.slice(at).length < 24)
        return 'partial'
    }
    if (at >= text.length) return 'partial'
    if (!text.startsWith(character, at)) return undefined
    at += character.length
  }
  return at
}

/** Asterisks for what is printed; line breaks and control sequences stay. */
function hide(text: string): string {
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
  if (Array.isArray(value)) return value.map((each) => redactUnknown(each, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redactUnknown(each, secrets)]))
}
