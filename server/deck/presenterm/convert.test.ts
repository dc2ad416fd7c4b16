import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseSync } from '@slidev/parser'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readDeck } from '../deck.ts'
import { convertPresentermDeck } from './convert.ts'
import { describeImportProblem } from './problems.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-import-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Converts a deck, and reads the result with Slidev's parser and with the reader of steps, which must accept it. */
async function convert(text: string, files: Record<string, string> = {}) {
  for (const [name, content] of Object.entries({ ...files, 'talk.md': text }))
    await writeFile(join(folder, name), content)
  const out = join(folder, 'slides.md')
  const deck = await convertPresentermDeck(join(folder, 'talk.md'), out, 'slidev-addon-understudy')
  await writeFile(out, deck.text)
  const { steps } = await readDeck(out)
  expect(deck.steps).toBe(steps.size)
  const { slides } = parseSync(deck.text, out)
  expect(deck.slides).toBe(slides.length)
  return { slides, steps, problems: deck.problems.map(describeImportProblem), text: deck.text }
}

/** The converted content of a deck with one slide. */
async function body(text: string, files: Record<string, string> = {}): Promise<string> {
  const { slides, problems } = await convert(text, files)
  expect(problems).toEqual([])
  expect(slides).toHaveLength(1)
  return slides[0]?.content ?? ''
}

describe('slides', () => {
  test('the front matter becomes the headmatter and a cover with title, place and authors', async () => {
    const { slides, problems } = await convert(
      '---\ntitle: "A _new_ **title**"\nsub_title: (for real)\nevent: Conf\ndate: 2026-05-01\nauthors:\n  - Ada\n  - Alan\n---\n\nOne\n===\n',
    )
    expect(problems).toEqual([])
    expect(slides[0]?.frontmatter).toMatchObject({
      title: 'A new title',
      author: 'Ada, Alan',
      layout: 'cover',
      addons: ['slidev-addon-understudy'],
      fonts: { provider: 'none' },
    })
    expect(slides[0]?.content).toBe('# A _new_ **title**\n\n(for real)\n\nConf, 2026-05-01\n\nAda\n\nAlan')
    expect(slides[1]?.content).toBe('# One')
  })

  test('a deck without front matter has no cover', async () => {
    expect(await body('# Hi\n\ntext\n')).toBe('# Hi\n\ntext')
  })

  test('end_slide ends a slide; the last one and empty slides add none', async () => {
    const { slides } = await convert('one\n\n<!-- end_slide -->\n<!-- end_slide -->\n\ntwo\n\n<!-- end_slide -->\n')
    expect(slides.map(({ content }) => content)).toEqual(['one', 'two'])
  })

  test('a thematic break is kept as asterisks, unless it ends slides', async () => {
    expect(await body('one\n\n---\n\ntwo\n')).toBe('one\n\n***\n\ntwo')
    const { slides } = await convert('---\noptions:\n  end_slide_shorthand: true\n---\none\n\n---\n\ntwo\n')
    expect(slides.map(({ content }) => content)).toEqual(['one', 'two'])
  })

  test('setext headings are titles, which may end the slide before; other headings are below them', async () => {
    expect(await body('Title\n===\n\n# Part\n\n###### Deep\n')).toBe('# Title\n\n## Part\n\n###### Deep')
    const { slides } = await convert('---\noptions:\n  implicit_slide_ends: true\n---\nOne\n---\na\n\nTwo\n===\nb\n')
    expect(slides.map(({ content }) => content)).toEqual(['# One\n\na', '# Two\n\nb'])
  })

  test('the first h1 is the title if the deck says so', async () => {
    expect(await body('---\noptions:\n  h1_slide_titles: true\n---\n# One\n\n# Two\n')).toBe('# One\n\n## Two')
  })

  test('speaker notes on one or several lines become the notes of their slide', async () => {
    const { slides } = await convert(
      'a\n\n<!-- speaker_note: one -->\n\nb\n\n<!--\nspeaker_note: |\n  two\n  three\n-->\n',
    )
    expect(slides[0]).toMatchObject({ content: 'a\n\nb', note: 'one\n\ntwo\nthree' })
  })

  test('included files are converted in place', async () => {
    const { slides, problems } = await convert('<!-- include: part.md -->\n\nend\n', {
      'part.md': 'Part\n===\n\n<!-- include: talk.md -->\n\n<!-- include: missing.md -->\n',
    })
    expect(slides[0]?.content).toBe('# Part\n\nend')
    expect(problems).toEqual([
      'part.md:4: talk.md includes itself and was left out',
      'part.md:6: missing.md does not exist',
    ])
  })

  test('slides in the middle, skipped slides and new lines are kept', async () => {
    const { slides } = await convert(
      '<!-- jump_to_middle -->\n\nMiddle\n===\n\n<!-- end_slide -->\n\n<!-- skip_slide -->\n\na\n\n<!-- new_lines: 2 -->\n\nb\n',
    )
    expect(slides.map(({ frontmatter }) => [frontmatter.layout, frontmatter.hide])).toEqual([
      ['center', undefined],
      [undefined, true],
    ])
    expect(slides[1]?.content).toBe('a\n\n<br><br>\n\nb')
  })
})

describe('pauses and columns', () => {
  test('content after a pause appears with a click', async () => {
    expect(await body('a\n\n<!-- pause -->\n\nb\n\nc\n\n<!-- pause -->\n\nd\n')).toBe(
      'a\n\n<v-click>\n\nb\n\nc\n\n</v-click>\n\n<v-click>\n\nd\n\n</v-click>',
    )
  })

  test('items of incremental lists appear one by one, and what follows with the last one', async () => {
    expect(await body('<!-- incremental_lists: true -->\n\n* a\n* b\n\nc\n')).toBe(
      '<v-clicks depth="3">\n\n* a\n* b\n\n</v-clicks>\n\n<v-after>\n\nc\n\n</v-after>',
    )
    expect(await body('---\noptions:\n  incremental_lists: true\n---\n<!-- incremental_lists: false -->\n* a\n')).toBe(
      '* a',
    )
  })

  test('columns keep their widths; a pause in one of them precedes the next one', async () => {
    expect(
      await body(
        'T\n===\n<!-- column_layout: [1, 2] -->\n<!-- column: 0 -->\na\n<!-- pause -->\n<!-- column: 1 -->\nb\n<!-- reset_layout -->\nc\n',
      ),
    ).toBe(
      [
        '# T',
        '<div class="grid gap-6" style="grid-template-columns: minmax(0, 1fr) minmax(0, 2fr)">',
        '<div>',
        'a',
        '</div>',
        '<div>',
        '<v-click>',
        'b',
        '</v-click>',
        '</div>',
        '</div>',
        '<v-after>',
        'c',
        '</v-after>',
      ].join('\n\n'),
    )
  })

  test('aligned content is wrapped until the alignment changes', async () => {
    expect(await body('<!-- alignment: center -->\na\n<!-- alignment: left -->\nb\n')).toBe(
      '<div class="text-center">\n\na\n\n</div>\n\nb',
    )
  })
})

describe('code', () => {
  test('executable shell code becomes steps with unique ids on slides with a terminal', async () => {
    const { slides, steps, problems } = await convert(
      'T\n===\n\n```bash +exec\n# list\nls -l /\n```\n\n```sh +exec +pty:80:30\nls -l /tmp\n```\n\n```bash +exec +id:Build.it +expect:failure\nfalse\n```\n',
    )
    expect(problems).toEqual([])
    expect([...steps.values()].map(({ id, command }) => [id, command])).toEqual([
      ['ls-l', '# list\nls -l /'],
      ['ls-l-2', 'ls -l /tmp'],
      ['build-it', 'false'],
    ])
    expect(steps.get('build-it')?.contract.expect.failure).toBe(true)
    expect(slides[0]?.frontmatter.layout).toBe('stage')
  })

  test('code in a list becomes a step without leaving the list', async () => {
    const { steps, slides } = await convert('1. first\n\n   ```bash +exec\n   echo nested\n   ```\n2. second\n')
    expect(steps.get('echo-nested')?.command).toBe('echo nested')
    expect(slides[0]?.content).toContain('\n   ```sh {step=echo-nested}\n   echo nested\n   ```\n')
  })

  test('code of an interpreter becomes a here-document; other code is shown, without its hidden lines', async () => {
    const { steps, slides, problems } = await convert(
      '```python +exec\nprint(1)\n```\n\n```rust +exec\n# fn main() {\nprintln!();\n# }\n```\n\n```bash +exec\n# nothing\n```\n',
    )
    expect([...steps.values()].map(({ command }) => command)).toEqual(["python3 - <<'EOF'\nprint(1)\nEOF"])
    expect(slides[0]?.content).toContain('```rust\nprintln!();\n```')
    expect(problems).toEqual([
      'talk.md:1: the code was put into a here-document for python3, since steps run shell commands',
      'talk.md:5: steps run shell commands: the rust code is shown, but cannot be run. Write a step that runs it from a file',
      'talk.md:11: the code contains no command and is only shown',
    ])
  })

  test('differences of a step are reported with their lines', async () => {
    const { steps, problems } = await convert(
      'a\n\n```bash +exec_replace {1|2} +line_numbers\n/// cd /tmp\ndate\n```\n\n<!-- font_size: 2 -->\n<!-- potato -->\n<!--\na comment\n-->\n',
    )
    expect(steps.get('date')?.command).toBe('cd /tmp\ndate')
    expect(problems).toEqual([
      'talk.md:3: hidden lines of the code are visible, since a slide shows all that a step runs',
      'talk.md:3: "+exec_replace" ran when the slide was shown; the step runs when you run it, and its output is in the terminal',
      'talk.md:3: the attribute "{1|2}" was left out',
      'talk.md:8: "font_size: 2" has no equivalent and was left out',
      'talk.md:9: "potato" is not a command of presenterm and was left out',
      'talk.md:10: the comment was left out, since Slidev could take it for speaker notes',
    ])
  })

  test('the output of a snippet is shown by its terminal on another slide', async () => {
    const { slides, steps, problems } = await convert(
      '```bash +exec +id:up\necho up\n```\n<!-- end_slide -->\n<!-- snippet_output: up -->\n<!-- snippet_output: down -->\n',
    )
    expect(steps.get('up')?.terminal).toBe('up')
    expect(slides[1]?.content).toContain('<Terminal name="up" />')
    expect(problems).toEqual(['talk.md:6: no step has the id "down"; its output was left out'])
  })

  test('highlighted lines and line numbers of steps are kept', async () => {
    expect(await body('```bash +exec {1|2-3} +line_numbers\ndate\nls\npwd\n```\n')).toMatch(
      /^```sh \{step=[a-z0-9-]+\} \{1\|2-3\}\{lines:true\}\ndate\nls\npwd\n```$/,
    )
  })

  test('highlighted lines and line numbers of shown code are kept', async () => {
    expect(await body('```rust {1-3|4|all} +line_numbers\nfn a() {}\n```\n')).toBe(
      '```rust {1-3|4|all}{lines:true}\nfn a() {}\n```',
    )
  })

  test('files are included as code, also in part', async () => {
    const files = { 'build.sh': 'one\ntwo\nthree\n' }
    expect(await body('```file\npath: build.sh\nlanguage: bash\nstart_line: 2\nend_line: 2\n```\n', files)).toBe(
      '```bash\ntwo\n```',
    )
    const { steps } = await convert('```file +exec +id:b\npath: build.sh\nlanguage: bash\n```\n', files)
    expect(steps.get('b')?.command).toBe('one\ntwo\nthree')
    const { problems } = await convert('```file\npath: missing.sh\n```\n\n```file\nlanguage: c\n```\n')
    expect(problems).toEqual([
      'talk.md:1: missing.sh does not exist',
      expect.stringMatching(/^talk\.md:5: the file snippet is not valid and is shown as it is: path: /),
    ])
  })

  test('diagrams and formulas are rendered; a diagram that presenterm shows as code stays code', async () => {
    expect(
      await body(
        '```mermaid +render +width:50%\ngraph LR\n```\n\n```mermaid\ngraph TD\n```\n\n```latex +render\n\\[ x^2 \\]\n```\n',
      ),
    ).toBe('```mermaid {scale: 0.5}\ngraph LR\n```\n\n```text\ngraph TD\n```\n\n$$\nx^2\n$$')
    expect((await convert('```typst +render\n$ x $\n```\n')).problems).toEqual([
      'talk.md:1: typst cannot be rendered; its source is shown',
    ])
  })

  test('code that contains fences or ends of slides is kept whole', async () => {
    expect(await body('````markdown\n```sh +exec\nls\n```\n<!-- end_slide -->\n---\n````\n')).toBe(
      '````markdown\n```sh +exec\nls\n```\n<!-- end_slide -->\n---\n````',
    )
  })
})

describe('text', () => {
  test('characters that Slidev would interpret are escaped outside of code', async () => {
    expect(await body('{{ x }} costs $5 or $6, `{{ y }} $7`\n')).toBe(
      '&#123;&#123; x }} costs \\$5 or \\$6, `{{ y }} $7`',
    )
  })

  test('tags and commands within text are reported, addresses and spans are kept', async () => {
    const { slides, problems } = await convert(
      'see <https://example.org>\nroot@<host> <span style="color: palette:red">red</span>\n\n- a <!-- pause -->\n',
    )
    expect(slides[0]?.content).toBe(
      'see <https://example.org>\nroot@&lt;host> <span style="color: palette:red">red</span>\n\n- a',
    )
    expect(problems).toEqual([
      'talk.md:2: presenterm does not support <host>; it is shown as text',
      'talk.md:2: a color of the palette of the theme is not defined in Slidev: write the color',
      'talk.md:4: "pause" within a list, a quote or a line was left out: use v-click there',
    ])
  })

  test('images get a path that Slidev resolves, and their width; missing images are reported', async () => {
    const { slides, problems } = await convert('![](a.svg)\n\n![image:width:50%](a.svg)\n\n![alt](b.png)\n', {
      'a.svg': '<svg/>',
    })
    expect(slides[0]?.content).toBe('![](./a.svg)\n\n<img src="./a.svg" alt="" style="width: 50%">\n\n(b.png)')
    expect(problems).toEqual(['talk.md:5: b.png does not exist'])
  })

  test('a table without outer bars does not end the slide', async () => {
    expect(await body('a | b\n---|---\n1 | 2\n')).toBe('a | b\n|---|---\n1 | 2')
  })

  test('only comments with the prefix of the deck are commands', async () => {
    const { slides, problems } = await convert(
      '---\noptions:\n  command_prefix: "cmd:"\n---\na\n<!-- pause -->\nb\n<!-- cmd:end_slide -->\nc\n',
    )
    expect(slides).toHaveLength(2)
    expect(problems).toEqual(['talk.md:6: the comment was left out, since Slidev could take it for speaker notes'])
  })

  test('front matter without an equivalent, or that is not valid, is reported', async () => {
    expect((await convert('---\ntitle: x\ntheme:\n  name: dark\n---\na\n')).problems).toEqual([
      'talk.md:3: "theme" in the front matter has no equivalent and was left out',
    ])
    const { slides, problems } = await convert('---\ntitle: [\n---\na\n')
    expect(problems).toEqual([expect.stringMatching(/^talk\.md:1: the front matter is not valid and was left out: /)])
    expect(slides.at(-1)?.content).toBe('a')
  })

  test('line ends and a byte order mark of Windows are read', async () => {
    expect(await body('\uFEFFT\r\n===\r\n\r\na\r\n')).toBe('# T\n\na')
  })
})
