import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Deck, readDeck } from './deck.ts'
import { fillIn } from './inputs.ts'
import { DeckError } from './problems.ts'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'

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
  if (!(error instanceof DeckError)) throw new Error('readDeck reported no problem')
  return error.problems.map(describeDeckProblem)
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

describe('readDeck', () => {
  test('returns a step for each fence that declares one, with the command of the slide', async () => {
    const deck = await read(twoSteps)
    expect([...deck.steps.keys()]).toEqual(['serve', 'look', 'look-again'])
    expect(deck.steps.get('serve')?.command).toBe('# with a comment\npython3 -m http.server \\\n  8080')
    expect(deck.steps.get('look')).toMatchObject({ slide: 2, place: { file: 'slides.md', line: 21, slide: 2 } })
  })

  test('gives a step with ready its own terminal, and the other steps of the slide a shared one', async () => {
    const { steps } = await read(twoSteps)
    expect([...steps.values()].map((step) => step.terminal)).toEqual(['serve', 'look', 'look'])
  })

  test('returns a different version after an edit', async () => {
    expect((await read(twoSteps)).version).not.toBe((await read(`${twoSteps}\n# More`)).version)
  })
})

describe('readDeck reports file, line and slide of', () => {
  test('an unknown attribute', async () => {
    expect(await problems('# A\n\n```sh {step=a color=red}\nls\n```\n')).toEqual([
      'slides.md:3 (slide 1): unknown attribute "color" in {step=a color=red}: use step=<id> and terminal=<name>',
    ])
  })

  test('two steps with the same id', async () => {
    const [problem] = await problems('# A\n\n```sh {step=a}\nls\n```\n\n---\n\n# B\n\n```sh {step=a}\nls\n```\n')
    expect(problem).toBe(
      'slides.md:11 (slide 2): step "a" already exists at slides.md:3 (slide 1): give each step a unique id',
    )
  })

  test('a fence that contains only comments', async () => {
    expect(await problems('# A\n\n```sh {step=a}\n# only a comment\n```\n')).toEqual([
      'slides.md:3 (slide 1): step "a" is empty: write its command between the backticks',
    ])
  })

  test('an unknown key in a contract', async () => {
    const text = '---\nsteps:\n  a:\n    redy: 1\n---\n\n# A\n\n```sh {step=a}\nls\n```\n'
    expect((await problems(text))[0]).toBe('slides.md:4 (slide 1): unknown key "steps.a.redy": did you mean "ready"?')
  })

  test('a ready URL on another machine', async () => {
    const text =
      "---\nsteps:\n  a:\n    ready: { http: 'http://example.org/' }\n---\n\n# A\n\n```sh {step=a}\nls\n```\n"
    expect((await problems(text))[0]).toContain('must be a URL on this machine')
  })

  test('a contract whose step is not on the slide', async () => {
    const text = '---\nsteps:\n  gone: {}\n---\n\n# A\n'
    expect((await problems(text))[0]).toMatch(/^slides\.md:3 \(slide 1\): "steps\.gone" has no step on this slide/)
  })

  test('a pace that is not a duration', async () => {
    expect(await problems('---\npace: soon\n---\n\n# One\n')).toEqual([
      'slides.md:2 (slide 1): pace: Invalid duration "soon": use 90s, 2m or 1:30',
    ])
    for (const pace of ['90s', '2m', '1:30', '45', '1h30m', '150s']) await read(`---\npace: ${pace}\n---\n\n# One\n`)
  })

  test('a runOnNext that is not a boolean', async () => {
    expect(await problems('---\nrunOnNext: maybe\n---\n\n# One\n')).toEqual([
      'slides.md:2 (slide 1): runOnNext: must be true or false',
    ])
  })

  test('a file that does not exist', async () => {
    await expect(readDeck(join(folder, 'none.md'))).rejects.toThrow(/none\.md: file not found/)
  })
})

describe('fillIn', () => {
  const deck =
    '---\nsteps:\n  a:\n    inputs:\n      host: { label: Host, pattern: "[a-z. ;\']+", placeholder: a.example }\n---\n\n```sh {step=a}\nping {{host}}\n```\n'
  const step = async () => {
    const found = (await read(deck)).steps.get('a')
    if (!found) throw new Error('step a is missing')
    return found
  }

  test('inserts plain words unquoted and quotes other values for the shell', async () => {
    expect(fillIn(await step(), { host: 'a.example' })).toBe('ping a.example')
    expect(fillIn(await step(), { host: "it's; ls" })).toBe("ping 'it'\\''s; ls'")
  })

  test('rejects a missing, unknown, mismatching or multi-line value', async () => {
    const a = await step()
    expect(() => fillIn(a, {})).toThrow('Fill in "Host" first.')
    expect(() => fillIn(a, { host: 'A' })).toThrow('Invalid value "A" for "Host". Example: a.example.')
    expect(() => fillIn(a, { host: 'a\nb' })).toThrow('Invalid value "a\nb" for "Host"')
    expect(() => fillIn(a, { host: 'a', other: 'b' })).toThrow('no input "other"')
  })
})

test('the headmatter changes keys, and an invalid key is reported with its place', async () => {
  const deck = (keys: string) => `---\nunderstudy: { keys: ${keys} }\n---\n\n# Keys\n`
  expect((await read(deck('{ run: x, share: false }'))).keys).toMatchObject({ run: 'x', share: false, copy: 'c' })
  expect(await problems(deck('{ run: enter }'))).toEqual([
    expect.stringMatching(/^slides\.md:2: understudy\.keys\.run: must be false, or a lowercase letter/),
  ])
})
