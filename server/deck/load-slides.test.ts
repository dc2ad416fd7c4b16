import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WrittenDeck } from '../test/written-deck.ts'

let deck: WrittenDeck
beforeEach(async () => {
  deck = await WrittenDeck.create()
})
afterEach(() => deck.remove())

const step = (id: string) => `\`\`\`sh {step=${id}}\necho ${id}\n\`\`\``

describe('frontmatter that is not valid YAML is an error with its line', () => {
  test('a colon in a value', async () => {
    const [error] = await deck.errors(
      `---\ntitle: Deploying: the talk\nsteps: { a: { timeout: 3s } }\n---\n\n${step('a')}\n`,
    )
    expect(error).toMatch(/^slides\.md:2: invalid frontmatter: Nested mappings are not allowed in compact mappings$/)
  })

  test('tabs as indentation', async () => {
    const [error] = await deck.errors(
      `# One\n\n---\nlayout: stage\nsteps:\n\ta:\n\t\ttimeout: 3s\n---\n\n${step('a')}\n`,
    )
    expect(error).toMatch(/^slides\.md:6 \(slide 2\): invalid frontmatter: .*[Tt]abs/)
  })

  test('a repeated key', async () => {
    const [error] = await deck.errors(`# One\n\n---\nsteps: {}\nlayout: stage\nsteps: {}\n---\n\n# Two\n`)
    expect(error).toBe('slides.md:6 (slide 2): invalid frontmatter: Map keys must be unique')
  })

  test('in a code block', async () => {
    const [error] = await deck.errors(
      `# One\n\n---\n\n\`\`\`yaml\nlayout: stage\ntitle: a: b\n\`\`\`\n\n${step('a')}\n`,
    )
    expect(error).toMatch(/^slides\.md:7 \(slide 2\): invalid frontmatter: Nested mappings/)
  })

  test('in an imported file', async () => {
    const errors = await deck.errors('---\nsrc: ./pages/part.md\n---\n', {
      'pages/part.md': `---\ntitle: a: b\n---\n\n# Part\n`,
    })
    expect(errors).toEqual([
      'pages/part.md:2 (slide 1): invalid frontmatter: Nested mappings are not allowed in compact mappings',
    ])
  })

  test('on a hidden slide', async () => {
    const [error] = await deck.errors('# One\n\n---\nhide: true\ntitle: a: b\n---\n\n# Two\n')
    expect(error).toMatch(/^slides\.md:5: invalid frontmatter/)
  })
})

test.each([
  ['a list', '- a\n- b'],
  ['text', 'just text'],
])('frontmatter that is %s is an error', async (_, yaml) => {
  expect(await deck.errors(`# One\n\n---\n${yaml}\n---\n\n# Two\n`)).toEqual([
    'slides.md:4 (slide 2): invalid frontmatter: write lines of the form "key: value"',
  ])
})

test('"---" within a line of the frontmatter, where Slidev ends it, is an error', async () => {
  const [error] = await deck.errors(
    `# One\n\n---\ntitle: a --- b\nsteps: { a: { timeout: 3s } }\n---\n\n${step('a')}\n`,
  )
  expect(error).toMatch(/^slides\.md:4 \(slide 2\): "---" ends the frontmatter here/)
})

test('frontmatter that is not closed is an error', async () => {
  const [error] = await deck.errors('# One\n\n---\nlayout: stage\n\n# Two\n')
  expect(error).toMatch(/^slides\.md:3 \(slide 2\): the frontmatter is not closed/)
})

test('the contracts in frontmatter that is a code block are read', async () => {
  const { steps } = await deck.read(
    `# One\n\n---\n\n\`\`\`yaml\nsteps: { a: { timeout: 3s } }\n\`\`\`\n\n${step('a')}\n`,
  )
  expect(steps.get('a')).toMatchObject({ contract: { timeout: 3 }, place: { line: 9 } })
})

describe('a file with a byte order mark is an error', () => {
  const message =
    'starts with a byte order mark, which hides the frontmatter from Slidev: save the file as UTF-8 without BOM'

  test('the deck', async () => {
    expect(await deck.errors(`\ufeff---\ntitle: a\n---\n\n${step('a')}\n`)).toEqual([`slides.md:1: ${message}`])
  })

  test('an imported file', async () => {
    const errors = await deck.errors('---\nsrc: ./part.md\n---\n', { 'part.md': `\ufeff---\ntitle: a\n---\n\n# A\n` })
    expect(errors).toEqual([`part.md:1: ${message}`])
  })
})

describe('an import that imports nothing is an error with its file and line', () => {
  const cannot = 'cannot import'

  test('a missing file, in a deck without other slides', async () => {
    expect(await deck.errors('---\nsrc: ./nope.md\n---\n')).toEqual([
      `slides.md:2: ${cannot} "./nope.md": file not found. Check the path, which is relative to this file`,
    ])
  })

  test('a missing file between other slides, in an imported file', async () => {
    const errors = await deck.errors('# One\n\n---\nsrc: ./pages/a.md\n---\n\n---\n\n# Three\n', {
      'pages/a.md': '# A\n\n---\nlayout: center\nsrc: ./b.md\n---\n\n---\n\n# C\n',
    })
    expect(errors).toEqual([
      `pages/a.md:5: ${cannot} "./b.md": file not found. Check the path, which is relative to this file`,
    ])
  })

  test('a file that imports itself', async () => {
    expect(await deck.errors('# One\n\n---\nsrc: ./slides.md\n---\n')).toEqual([
      `slides.md:4: ${cannot} "./slides.md": the file imports itself`,
    ])
  })

  test('files that import each other', async () => {
    const errors = await deck.errors('---\nsrc: ./a.md\n---\n', {
      'a.md': '# A\n\n---\nsrc: ./b.md\n---\n',
      'b.md': '# B\n\n---\nsrc: ./a.md\n---\n',
    })
    expect(errors).toEqual([`b.md:4: ${cannot} "./a.md": the file imports itself`])
  })

  test.each(['9', '1,9', '5-7', '3-1', 'x', '0'])('slides that do not exist: #%s', async (range) => {
    const errors = await deck.errors(`---\nsrc: ./a.md#${range}\n---\n`, { 'a.md': '# A\n\n---\n\n# B\n' })
    const part = range === '1,9' ? '9' : range
    expect(errors).toEqual([`slides.md:2: ${cannot} "./a.md#${range}": there is no slide "${part}". The file has 2`])
  })

  test('a file outside the project', async () => {
    const errors = await deck.errors('---\nsrc: ../../etc/passwd\n---\n')
    expect(errors).toEqual([`slides.md:2: ${cannot} "../../etc/passwd": it is outside the project`])
  })

  test('a folder', async () => {
    const errors = await deck.errors('---\nsrc: ./pages\n---\n', { 'pages/a.md': '# A\n' })
    expect(errors).toEqual([`slides.md:2: ${cannot} "./pages": it is not a file`])
  })

  test('a value that is not a path', async () => {
    expect(await deck.errors('---\nsrc: [a.md]\n---\n')).toEqual([
      'slides.md:2: invalid "src": write the path of a Markdown file',
    ])
  })
})

test('an import on a hidden slide is ignored', async () => {
  expect(await deck.commands(`---\nhide: true\nsrc: ./nope.md\n---\n\n---\n\n${step('a')}\n`)).toEqual({ a: 'echo a' })
})

test('an imported range has the steps of its slides', async () => {
  const part = ['a', 'b', 'c'].map(step).join('\n\n---\n\n')
  const { steps } = await deck.read('# One\n\n---\nsrc: ./part.md#2-3\n---\n', { 'part.md': part })
  expect([...steps.values()].map(({ id, slide, place }) => [id, slide, place.file])).toEqual([
    ['b', 2, 'part.md'],
    ['c', 3, 'part.md'],
  ])
})

describe('with setup/preparser.ts', () => {
  const preparser = (body: string) => ({ 'setup/preparser.ts': `export default () => [{ name: 'test', ${body} }]\n` })

  test('steps that a preparser writes into the lines of the deck are steps', async () => {
    const files = preparser(`transformRawLines(lines) {
      for (let i = 0; i < lines.length; i++) {
        const match = /^@run (\\w+) (.*)$/.exec(lines[i])
        if (match) lines.splice(i, 1, '', '\`\`\`sh {step=' + match[1] + '}', match[2], '\`\`\`', '')
      }
    }`)
    const { steps } = await deck.read(`# One\n\n@run made date\n\n${step('a')}\n`, files)
    expect([...steps.values()].map(({ id, command }) => [id, command])).toEqual([
      ['made', 'date'],
      ['a', 'echo a'],
    ])
    // The line of the other step in the file, not in the changed text.
    expect(steps.get('a')?.place.line).toBe(5)
  })

  test('steps that a preparser writes into the content of a slide are steps', async () => {
    const files = preparser(
      "async transformSlide(content) { return content.replace('RUN', '```sh {step=made}\\ndate\\n```') }",
    )
    expect(await deck.commands(`# One\n\nRUN\n`, files)).toEqual({ made: 'date' })
  })

  test('a deck has another version after an edit of its preparser', async () => {
    const text = '# One\n\nRUN\n'
    const write = (command: string) =>
      preparser(`async transformSlide(content) { return content.replace('RUN', '${command}') }`)
    const before = await deck.read(text, write('one'))
    expect((await deck.read(text, write('two'))).version).not.toBe(before.version)
  })

  test('a preparser of one deck does not change another deck that is read at the same time', async () => {
    const other = await WrittenDeck.create()
    const files = preparser("async transformSlide(content) { return content + '\\n\\n```sh {step=made}\\ndate\\n```' }")
    const [withPreparser, without] = await Promise.all([deck.commands('# One\n', files), other.commands(step('a'))])
    await other.remove()
    expect(withPreparser).toEqual({ made: 'date' })
    expect(without).toEqual({ a: 'echo a' })
  })

  test('a preparser that fails is an error', async () => {
    const errors = await deck.errors('# One\n', { 'setup/preparser.ts': "throw new Error('broken')\n" })
    expect(errors[0]).toMatch(/setup\/preparser\.ts failed: broken$/)
  })
})
