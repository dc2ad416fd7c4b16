import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Deck, DeckError, fillIn, readDeck } from './deck.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-deck-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function read(text: string): Promise<Deck> {
  const file = join(folder, 'slides.md')
  await writeFile(file, text)
  return readDeck(file)
}

async function problems(text: string): Promise<string[]> {
  const error = await read(text).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof DeckError)) throw new Error('the deck was taken')
  return error.problems
}

const twoSteps = `---
title: Talk
---

# One

---
steps:
  serve:
    ready: { http: 'http://127.0.0.1:8080/' }
---

# Two

\`\`\`sh {step=serve}
# with a comment
python3 -m http.server \\
  8080
\`\`\`

\`\`\`sh {step=look}
ls
\`\`\`

\`\`\`sh {step=look-again}
ls -l
\`\`\`

\`\`\`nix {1|2}
{ }
\`\`\`
`

describe('a deck', () => {
  test('has a step for each fence that names one, with the command as the slide shows it', async () => {
    const deck = await read(twoSteps)
    expect([...deck.steps.keys()]).toEqual(['serve', 'look', 'look-again'])
    expect(deck.steps.get('serve')?.command).toBe('# with a comment\npython3 -m http.server \\\n  8080')
    expect(deck.steps.get('look')).toMatchObject({ slide: 2, place: 'slides.md:21 (slide 2)' })
  })

  test('gives a step that keeps running a terminal of its own, and the others of the slide one together', async () => {
    const { steps } = await read(twoSteps)
    expect([...steps.values()].map((step) => step.terminal)).toEqual(['serve', 'look', 'look'])
  })

  test('has another version after an edit', async () => {
    expect((await read(twoSteps)).version).not.toBe((await read(`${twoSteps}\n# More`)).version)
  })
})

describe('a broken deck names file, line and slide for', () => {
  test('an unknown attribute', async () => {
    expect(await problems('# A\n\n```sh {step=a colour=red}\nls\n```\n')).toEqual([
      'slides.md:3 (slide 1): unknown attribute "colour" in {step=a colour=red}: a step fence takes step=<id> and terminal=<name>',
    ])
  })

  test('two steps with one id', async () => {
    const [problem] = await problems('# A\n\n```sh {step=a}\nls\n```\n\n---\n\n# B\n\n```sh {step=a}\nls\n```\n')
    expect(problem).toBe(
      'slides.md:11 (slide 2): step "a" exists already, at slides.md:3 (slide 1): every step needs an id of its own',
    )
  })

  test('an empty fence', async () => {
    expect(await problems('# A\n\n```sh {step=a}\n# only a comment\n```\n')).toEqual([
      'slides.md:3 (slide 1): step "a" is empty: write its command between the backticks',
    ])
  })

  test('an unknown key in a contract', async () => {
    const text = '---\nsteps:\n  a:\n    redy: 1\n---\n\n# A\n\n```sh {step=a}\nls\n```\n'
    expect((await problems(text))[0]).toMatch(/^slides\.md:3 \(slide 1\): steps\.a: .*"redy"/)
  })

  test('a probe of another machine', async () => {
    const text =
      "---\nsteps:\n  a:\n    ready: { http: 'http://example.org/' }\n---\n\n# A\n\n```sh {step=a}\nls\n```\n"
    expect((await problems(text))[0]).toContain('must be a page of this machine')
  })

  test('a contract without a step', async () => {
    const text = '---\nsteps:\n  gone: {}\n---\n\n# A\n'
    expect((await problems(text))[0]).toMatch(
      /^slides\.md:3 \(slide 1\): "steps\.gone" is the contract of a step that this slide does not have/,
    )
  })

  test('an input that is not declared', async () => {
    expect((await problems('# A\n\n```sh {step=a}\necho {{name}}\n```\n'))[0]).toContain('{{name}} is not declared')
  })

  test('a pace that is no time, and a runOnNext that is neither yes nor no', async () => {
    expect(await problems('---\npace: soon\n---\n\n# One\n')).toEqual([
      'slides.md:2 (slide 1): pace: "soon" is no time: write it as 90s, 2m or 1:30',
    ])
    expect(await problems('---\nrunOnNext: maybe\n---\n\n# One\n')).toEqual([
      'slides.md:2 (slide 1): runOnNext: must be true or false',
    ])
    for (const pace of ['90s', '2m', '1:30', '45', '1h30m', '150s']) await read(`---\npace: ${pace}\n---\n\n# One\n`)
  })

  test('a missing file', async () => {
    await expect(readDeck(join(folder, 'none.md'))).rejects.toThrow(/there is no such file/)
  })
})

describe('an input', () => {
  const deck =
    '---\nsteps:\n  a:\n    inputs:\n      host: { label: Host, pattern: "[a-z. ;\']+", placeholder: a.example }\n---\n\n```sh {step=a}\nping {{host}}\n```\n'
  const step = async () => {
    const found = (await read(deck)).steps.get('a')
    if (!found) throw new Error('no step')
    return found
  }

  test('is typed as it is when it is a plain word, and quoted when it is not', async () => {
    expect(fillIn(await step(), { host: 'a.example' })).toBe('ping a.example')
    expect(fillIn(await step(), { host: "it's; ls" })).toBe("ping 'it'\\''s; ls'")
  })

  test('that is missing, unknown, of another form or with a control character is refused by its label', async () => {
    const a = await step()
    expect(() => fillIn(a, {})).toThrow('Fill in "Host" first.')
    expect(() => fillIn(a, { host: 'A' })).toThrow('"Host" cannot be "A": write something like a.example.')
    expect(() => fillIn(a, { host: 'a\nb' })).toThrow('"Host" cannot be')
    expect(() => fillIn(a, { host: 'a', other: 'b' })).toThrow('no input "other"')
  })
})
