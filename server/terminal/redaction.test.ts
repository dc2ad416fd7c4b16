import { describe, expect, test } from 'vitest'
import { Redactor } from './redaction.ts'

const secret = 'hunter2-very-secret'

/** Redacts a text that is fed in pieces. */
function redact(pieces: string[], secrets = [secret]): string {
  const redactor = new Redactor(secrets)
  return pieces.map((piece) => redactor.feed(piece)).join('') + redactor.end()
}

describe('a listed secret', () => {
  test('is redacted regardless of the position at which the output is split', () => {
    const text = `before ${secret} after`
    for (let cut = 0; cut <= text.length; cut++)
      expect(redact([text.slice(0, cut), text.slice(cut)])).toBe(`before ${'*'.repeat(secret.length)} after`)
    expect(redact([...text])).toBe(`before ${'*'.repeat(secret.length)} after`)
  })

  test('is redacted in a window title', () => expect(redact([`\u001b]2;${secret}\u0007`])).not.toContain('secret'))

  test('is redacted if colors or line breaks interrupt it', () => {
    const colored = `\u001b[31mhunter2\u001b[0m-very-\u001b[1;32msecret\u001b[0m`
    for (let cut = 0; cut <= colored.length; cut++)
      expect(redact([colored.slice(0, cut), colored.slice(cut)])).toBe(
        `\u001b[31m*******\u001b[0m******\u001b[1;32m******\u001b[0m`,
      )
    expect(redact(['hunter2-ve \r', 'ry-secret'])).toBe(`${'*'.repeat(11)}\r*********`)
    expect(redact(['hunter2-ve\r\nry-secret!'])).toBe('**********\r\n*********!')
  })

  test('is redacted in base64, as in basic authentication', () =>
    expect(redact([`Basic ${Buffer.from(secret).toString('base64')}`])).not.toContain(
      Buffer.from(secret).toString('base64').slice(0, -4),
    ))

  test('is redacted in a URL', () =>
    expect(redact([`?key=${encodeURIComponent('a b&c/d=e')}.`], ['a b&c/d=e'])).toBe(`?key=${'*'.repeat(17)}.`))

  test('is redacted as a whole if another secret is its prefix', () => {
    expect(redact(['token-one-two!'], ['token-one', 'token-one-two'])).toBe(`${'*'.repeat(13)}!`)
    expect(redact(['token-one-x'], ['token-one', 'token-one-two'])).toBe(`${'*'.repeat(9)}-x`)
  })

  test('is redacted if the output ends before it is complete', () =>
    expect(redact(['hunter2-ver'])).toBe('*'.repeat(11)))
})

test.each([
  ['GitHub', 'ghp_', 'a1B2'.repeat(9)],
  ['GitHub, fine-grained', 'github_pat_', 'a1B2_'.repeat(9)],
  ['Slack', 'xoxb-', '1234567890-abcdefghij'],
  ['AWS', 'AKIA', 'IOSFODNN7EXAMPLE'],
  ['JSON Web Token', 'eyJ', 'hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0aa.c2lnbmF0dXJl'],
])('a token of a known form is redacted: %s', (_, prefix, token) => {
  const text = `token ${prefix}${token} end`
  for (let cut = 0; cut <= text.length; cut++) {
    const shown = redact([text.slice(0, cut), text.slice(cut)], [])
    expect(shown).toHaveLength(text.length)
    // The prefix is shown if the output is split within it.
    expect(shown.slice('token '.length + prefix.length)).toBe(`${'*'.repeat(token.length)} end`)
  }
})

test('the first letters of a token prefix are not held back', () => {
  const redactor = new Redactor([])
  for (const text of ['Buildin', 'g', ' \u001b[?2004h', ' s', 'k']) expect(redactor.feed(text)).toBe(text)
})

test('the body of a private key is redacted', () => {
  const key =
    '-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1rZXktdjEAAAAA\r\nAAAAtzc2g=\r\n-----END OPENSSH PRIVATE KEY-----'
  const expected =
    '-----BEGIN OPENSSH PRIVATE KEY-----\r\n************************\r\n**********\r\n-----END OPENSSH PRIVATE KEY-----\r\nafter'
  for (let cut = 0; cut <= key.length; cut++)
    expect(redact([key.slice(0, cut), `${key.slice(cut)}\r\nafter`], [])).toBe(expected)
})

test('output without secrets is not changed', () => {
  const text = Array.from(
    { length: 3000 },
    (_, line) => `\u001b[3${line % 8}m${line} hunter and \u00e9\u{1f600} github.com/nixos AK sk eye\u001b[0m\r\n`,
  ).join('')
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += 37) pieces.push(text.slice(at, at + 37))
  expect(redact(pieces)).toBe(text)
})

test('peek returns held text of fewer than 6 characters', () => {
  const redactor = new Redactor([secret])
  expect(redactor.feed('say hun')).toBe('say ')
  expect(redactor.peek()).toBe('hun')
  expect(redactor.feed('hunter2-very')).toBe('')
  expect(redactor.peek()).toBe('')
})

test('a secret that is typed key by key is redacted from its sixth character on', () => {
  for (const before of ['', 'hun hunt ', 'hu']) {
    const redactor = new Redactor([secret])
    const shown =
      [...`${before}${secret} after`].map((key) => redactor.feed(key) + redactor.peek()).join('') + redactor.end()
    expect(shown).toBe(`${before}${secret.slice(0, 5)}${'*'.repeat(secret.length - 5)} after`)
  }
})

test('a listed value of fewer than 6 characters is not redacted', () =>
  expect(redact(['yes we can'], ['yes'])).toBe('yes we can'))
