import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execa, type ResultPromise } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../lib/paths.ts'
import { freePort } from '../test/free-port.ts'
import { WrittenDeck } from '../test/written-deck.ts'
import { buildDeck } from './build.ts'
import { DeckError } from './problems.ts'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'
import { loadSlidev } from './slidev.ts'
import { STEP_LIST_VARIABLE, StepListFile } from './step-list.ts'

// Each test builds a real deck with Slidev.
const BUILD_TIMEOUT = { timeout: 300_000 }

const HEADMATTER = `theme: none\naddons: [${packageRoot}]\nfonts: { provider: none }\nfavicon: /none.svg\n`
const fence = (id: string) => `\`\`\`sh {step=${id}}\necho ${id}\n\`\`\``

let deck: WrittenDeck
beforeEach(async () => {
  deck = await WrittenDeck.create()
})
afterEach(() => deck.remove())

/** Builds the deck, and returns the differences between its page and the server's steps. */
async function differences(slides: string, files: Record<string, string> = {}): Promise<string[]> {
  const read = await deck.read(slides, files)
  try {
    const { folder } = await buildDeck(read, join(deck.folder, 'builds'))
    expect(existsSync(join(folder, 'index.html'))).toBe(true)
    return []
  } catch (error) {
    if (!(error instanceof DeckError)) throw error
    return error.problems.map(describeDeckProblem)
  }
}

test('the page of a deck with all features has the steps that the server has read', BUILD_TIMEOUT, async () => {
  const slides = `---
${HEADMATTER}layout: stage
comark: true
steps:
  plain: { timeout: 9s, inputs: { host: { label: Host } } }
---

# Steps

${fence('plain').replace('echo plain', "ping {{host}} && docker ps --format '{{.Names}}' # $HOME $PATH")}

\`\`\`sh [A title] {lines:true} {1|2} {step=options}
echo one
echo "two" <three> & 'four'
\`\`\`

\`\`\`console {step=transcript terminal=other}
$ echo hi \\
> there
hi there
\`\`\`

~~~bash {step=tildes maxheight}
echo tildes
~~~

<<< @/snippets/run.sh#build sh {step=snippet} {1}

<!--
${fence('comment')}
-->

<div>
<!--

${fence('long-comment')}

<p -->
</div>

---
layout: two-cols
---

# In containers

- in a list

  ${fence('list').replaceAll('\n', '\n  ')}

- ${fence('item').replaceAll('\n', '\n  ')}

> ${fence('quote').replaceAll('\n', '\n> ')}

<v-clicks>

${fence('clicks')}

</v-clicks>

::right::

${fence('right')}

::code-group

\`\`\`sh [one.sh] {step=one}
echo one
\`\`\`

\`\`\`sh [two.sh] {step=two}
echo two
\`\`\`

::

\`\`\`\`md magic-move
\`\`\`sh
ls
\`\`\`
\`\`\`sh
ls -l
\`\`\`
\`\`\`\`

\`\`\`\`md
${fence('shown')}
\`\`\`\`

[^note]: a footnote

<!--
Notes with a fence

${fence('notes')}
-->

---
src: ./pages/part.md#2
steps:
  part: { timeout: 3s }
---

---
hide: true
---

${fence('hidden')}

---
src: ./pages/part.md#2
steps:
  part: { timeout: 3s }
---

---

# From a preparser

@run made date

${fence('crlf')}
`.replace('{step=tildes maxheight}', '{step=tildes} {maxHeight:"100px"}')
  const files = {
    'snippets/run.sh': '#!/bin/sh\n# #region build\nmake all\n# #endregion build\n',
    'pages/part.md': `# One\n\n${fence('not-imported')}\n\n---\n\n# Two\n\n${fence('part')}\n`.replaceAll('\n', '\r\n'),
    'setup/preparser.ts': `export default () => [{
  name: 'run',
  transformRawLines(lines) {
    for (const [index, line] of lines.entries()) {
      const match = /^@run (\\w+) (.*)$/.exec(line)
      if (match) lines.splice(index, 1, '\`\`\`sh {step=' + match[1] + '}', match[2] ?? '', '\`\`\`')
    }
  },
}]\n`,
  }
  expect(await differences(slides, files)).toEqual([])
  const { steps } = await deck.read(slides)
  expect([...steps.keys()]).toEqual(
    'plain options transcript tildes snippet list item quote clicks right one two part made crlf'.split(' '),
  )
})

test('a step that a transformer of the deck creates fails the build with its slide', BUILD_TIMEOUT, async () => {
  const files = {
    'setup/transformers.ts': `export default () => ({
  pre: [({ s }) => void s.replace('RUN', '\`\`\`sh {step=made}\\ndate\\n\`\`\`')],
})\n`,
  }
  expect(await differences(`---\n${HEADMATTER}---\n\n# One\n\n---\n\n# Two\n\nRUN\n`, files)).toEqual([
    'slides.md:11 (slide 2): the page has a step "made" that is not in the deck\'s files, for example from ' +
      'setup/transformers.ts. The server cannot run it: create steps in setup/preparser.ts instead',
  ])
})

test('a step that the page does not show fails the build with its line', BUILD_TIMEOUT, async () => {
  const slides = `---\n${HEADMATTER}---\n\n# One\n\n$x$\n\n---\n\n# Two\n\n$$\nx\n\n${fence('formula')}\n\n$$\n\n---\n\n<div v-pre>\n\n${fence('inert')}\n\n</div>\n`
  expect((await differences(slides)).map((problem) => problem.split('. ')[0])).toEqual([
    'slides.md:19 (slide 2): the page does not show step "formula"',
    'slides.md:29 (slide 3): the page does not show step "inert"',
  ])
})

describe("Slidev's development server", () => {
  let list: StepListFile
  let slidev: ResultPromise<{ reject: false; stdin: 'ignore' }>
  let origin: string
  const text = (...ids: string[]) => `---\n${HEADMATTER}layout: stage\n---\n\n# One\n\n${ids.map(fence).join('\n\n')}\n`

  beforeEach(async () => {
    const { file, slides } = await deck.read(text('a'))
    list = await StepListFile.create(slides)
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    const { executable } = await loadSlidev(file)
    slidev = execa(process.execPath, [executable, file, '--port', String(port), '--bind', '127.0.0.1'], {
      cwd: deck.folder,
      reject: false,
      stdin: 'ignore',
      env: { [STEP_LIST_VARIABLE]: list.path },
    })
    await expect
      .poll(
        () =>
          fetch(origin).then(
            ({ ok }) => ok,
            () => false,
          ),
        { timeout: 120_000 },
      )
      .toBe(true)
  })
  afterEach(async () => {
    slidev.kill()
    await slidev
    await list.remove()
  })

  /** Requests the module of the slide, as a browser does. */
  async function slide(): Promise<{ status: number; text: string }> {
    const facade = await (await fetch(`${origin}/@slidev/slides/1/md`)).text()
    const path = /from "([^"]*__slidev_1\.md[^"]*)"/.exec(facade)?.[1]
    const response = await fetch(`${origin}${path ?? '/missing'}`)
    return { status: response.status, text: await response.text() }
  }

  test('shows a slide with the steps of the server, also after an edit', BUILD_TIMEOUT, async () => {
    expect(await slide()).toMatchObject({ status: 200 })
    const edited = await deck.read(text('a', 'b'))
    await expect
      .poll(
        async () => {
          const request = slide()
          // Slidev may request the slide before the server has read the edited deck.
          await list.write(edited.slides)
          return (await request).text
        },
        { timeout: 60_000 },
      )
      .toContain('echo%20b')
  })

  test('shows an error instead of a slide with other steps', BUILD_TIMEOUT, async () => {
    const { slides } = await deck.read(text('a'))
    await list.write(slides.map((each) => ({ ...each, steps: [] })))
    const { status, text: error } = await slide()
    expect(status).toBe(500)
    expect(error).toContain('slides.md:1 (slide 1): the page has a step')
  })

  test('shows a slide while the deck has errors', BUILD_TIMEOUT, async () => {
    await list.write(undefined)
    expect(await slide()).toMatchObject({ status: 200 })
  })
})
