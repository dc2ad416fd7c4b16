import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WrittenDeck } from '../test/written-deck.ts'

let deck: WrittenDeck
beforeEach(async () => {
  deck = await WrittenDeck.create()
})
afterEach(() => deck.remove())

/** A slide with a step that every test expects. */
const slide = (text: string) => `# Slide\n\n${text}\n\n\`\`\`sh {step=other}\nls\n\`\`\`\n`
const fence = '```sh {step=a}\necho hi\n```'

describe('a fence in an HTML comment is not a step', () => {
  test.each([
    ['at the beginning of a line', `<!--\n${fence}\n-->`],
    ['after blank lines in the comment', `<!--\n\n${fence}\n\n-->`],
    ['in an element', `<div>\n<!--\n${fence}\n-->\n</div>`],
    ['that continues over several blocks of an element', `<div>\n<!--\n\n${fence}\n\n<p -->\n</div>`],
    ['over two slides', `<!--\n\n---\n\n${fence}\n-->`],
    ['in a list', `- item\n\n  <!--\n  \`\`\`sh {step=a}\n  echo hi\n  \`\`\`\n  -->`],
  ])('%s', async (_, text) => {
    expect(await deck.commands(slide(text))).toEqual({ other: 'ls' })
  })

  test('in the notes of a slide', async () => {
    expect(await deck.commands(`${slide('')}\n<!--\nNotes\n\n${fence}\n-->\n`)).toEqual({ other: 'ls' })
  })
})

test('a fence after a comment is a step', async () => {
  expect(await deck.commands(slide(`<!-- hidden -->\n\n${fence}`))).toEqual({ a: 'echo hi', other: 'ls' })
})

describe('a fence is a step', () => {
  test.each([
    ['in an element, after a blank line', `<div>\n\n${fence}\n\n</div>`],
    ['in a list', '- item\n\n  ```sh {step=a}\n  echo hi\n  ```'],
    ['directly in an item of a list', '- ```sh {step=a}\n  echo hi\n  ```'],
    ['in a quote', '> ```sh {step=a}\n> echo hi\n> ```'],
    ['indented by up to three spaces', '   ```sh {step=a}\n   echo hi\n   ```'],
    ['with tildes', '~~~sh {step=a}\necho hi\n~~~'],
    ['with four backticks', '````sh {step=a}\necho hi\n````'],
    ['directly after a paragraph', `text\n${fence}`],
    ['in a slot', `::right::\n${fence}`],
    ['in a code group', `::code-group\n${fence}\n::`],
    ['in click animations', `<v-clicks>\n\n${fence}\n\n</v-clicks>`],
  ])('%s', async (_, text) => {
    expect(await deck.commands(slide(text))).toEqual({ a: 'echo hi', other: 'ls' })
  })

  test('in a file with CRLF line breaks', async () => {
    const { steps } = await deck.read(slide(fence.replace('hi', 'hi \\\n  there')).replaceAll('\n', '\r\n'))
    expect(steps.get('a')).toMatchObject({ command: 'echo hi \\\n  there', place: { line: 3 } })
  })
})

describe('the text of a longer fence is not a step', () => {
  test.each([
    ['four backticks', `\`\`\`\`md\n${fence}\n\`\`\`\``],
    ['tildes around backticks', `~~~~md\n${fence}\n~~~~`],
  ])('%s', async (_, text) => {
    expect(await deck.commands(slide(text))).toEqual({ other: 'ls' })
  })
})

const BLANK_LINE = (tag: string) =>
  `slides.md:4 (slide 1): the page shows this step as text: a blank line is missing between <${tag}> and the fence`

test.each(['div', 'v-click', 'section', 'Card'])('a fence directly after <%s> is an error', async (tag) => {
  expect(await deck.errors(slide(`<${tag}>\n${fence}\n</${tag}>`))).toEqual([BLANK_LINE(tag)])
})

test('a fence on the line after a list item in an element is an error', async () => {
  expect(await deck.errors(slide(`<ul>\n- ${fence}\n</ul>`))).toEqual([BLANK_LINE('ul')])
})

test.each(['pre', 'style', 'textarea'])('a fence in <%s> is an error, even after a blank line', async (tag) => {
  expect(await deck.errors(slide(`<${tag}>\n\n${fence}\n\n</${tag}>`))).toEqual([
    `slides.md:5 (slide 1): the page shows this step as text, because <${tag}> contains no Markdown: put the fence outside`,
  ])
})

test('a fence that another fence swallows is an error', async () => {
  expect(await deck.errors(`# Slide\n\n\`\`\`js\nlet x\n\n${fence}\n`)).toEqual([
    'slides.md:6 (slide 1): the page shows this step as text, because the fence before it (line 3) is not closed. ' +
      'To show how a step is written, give the outer fence more backticks',
  ])
})

test.each([
  ['code', `    \`\`\`sh {step=a}\n    echo hi\n    \`\`\``],
  ['the continuation of a paragraph', `text\n    \`\`\`sh {step=a}\n    echo hi\n    \`\`\``],
])('a fence that is indented so far that it is %s is a warning', async (_, text) => {
  const [warning] = await deck.warnings(
    `layout: x\n\n${slide(text)}`.replace('layout: x\n\n', '---\nlayout: stage\n---\n\n'),
  )
  expect(warning).toMatch(/^slides\.md:\d \(slide 1\): the page shows this step as text, because it is indented/)
})

describe('a step that is not closed on its slide is an error', () => {
  test.each([
    ['because "---" in tildes starts a slide', '~~~sh {step=t}\ncat <<X\n---\nX\n~~~'],
    ['because "---" in a list starts a slide', '- ```sh {step=t}\n  cat <<X\n---\n  X\n  ```'],
    ['because its end is missing', '```sh {step=t}\nls\n'],
    ['because its end is missing and it is empty', '```sh {step=t}'],
    ['because its end is shorter', '````sh {step=t}\nls\n```\n'],
  ])('%s', async (_, text) => {
    expect((await deck.errors(`# Slide\n\n${text}`))[0]).toMatch(
      /^slides\.md:3 \(slide 1\): the fence of step "t" is not closed on its slide/,
    )
  })
})

test('a step with "---" in a fence of backticks is one step', async () => {
  expect(await deck.commands('# Slide\n\n```sh {step=t}\ncat <<X\n---\nX\n```\n')).toEqual({ t: 'cat <<X\n---\nX' })
})

test('a step in magic-move is an error', async () => {
  const text = `\`\`\`\`md magic-move\n${fence}\n\`\`\`\``
  expect(await deck.errors(slide(text))).toEqual([
    'slides.md:3 (slide 1): a step cannot be part of magic-move: use a fence of its own',
  ])
})

test('an inline code span is not a step', async () => {
  expect(await deck.commands(slide('Write ```sh {step=a}``` for a step.'))).toEqual({ other: 'ls' })
})

test('a comment that the page would not close is an error', async () => {
  expect(await deck.errors(slide(`<div>\n<!--\n\n${fence}\n\n-->\n\n</div>`))).toEqual([
    'slides.md:3 (slide 1): the comment is not closed: add "-->" on a line that is not a paragraph of its own',
  ])
})
