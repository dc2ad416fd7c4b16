import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'
import { WrittenDeck } from '../test/written-deck.ts'
import { checkDeck } from './check-deck.ts'

let deck: WrittenDeck
beforeEach(async () => {
  deck = await WrittenDeck.create()
})
afterEach(() => deck.remove())

/** A headmatter that loads nothing from the network. */
const OFFLINE = 'theme: none\nfonts: { provider: none }\nfavicon: /favicon.svg\n'

async function check(slides: string, files: Record<string, string> = {}): Promise<string[]> {
  await deck.write({ 'public/favicon.svg': '<svg/>', ...files, 'slides.md': slides })
  return (await checkDeck(deck.file)).map((problem) => `${problem.severity}: ${describeDeckProblem(problem)}`)
}

test('a deck without mistakes has no problems', async () => {
  const files = { 'public/a.png': '', 'b.png': '', 'pages/c.png': '', 'pages/c.md': '![c](./c.png)\n' }
  const slides = `---\n${OFFLINE}image: /a.png\n---

![a](/a.png) ![b](./b.png "Title") ![b](b.png?url#part) [a link](https://example.com)

<img src="/a.png"> <div style="background: url('./b.png')" /> <Card :src="pictures[0]" icon="carbon:a" src="carbon:b" />

<img :src="'./computed.png'"> <!-- ![](./comment.png) -->

\`\`\`html
<img src="./code.png">
\`\`\`

---
src: ./pages/c.md
---
`
  expect(await check(slides, files)).toEqual([])
})

test('files that slides load and that do not exist are errors', async () => {
  const slides = `---
${OFFLINE}---

![x](./missing.png)

- In a list: ![x](/missing.svg)

<div
  class="a">
<img
  src="./missing.gif">
</div>

<style>
.a { background: url(./missing.webp) }
</style>

---
layout: image
image: /missing.avif
---

<Photo src="/missing.jpg" />
`
  const hint = 'file not found. The path is relative to this file; a path that begins with / is in public/'
  expect(await check(slides)).toEqual([
    `error: slides.md:7 (slide 1): cannot resolve "./missing.png": ${hint}`,
    `error: slides.md:9 (slide 1): cannot resolve "/missing.svg": ${hint}`,
    `error: slides.md:14 (slide 1): cannot resolve "./missing.gif": ${hint}`,
    `error: slides.md:18 (slide 1): cannot resolve "./missing.webp": ${hint}`,
    'error: slides.md:23 (slide 2): cannot resolve "/missing.avif": there is no such file in public/',
    'error: slides.md:26 (slide 2): cannot resolve "/missing.jpg": there is no such file in public/',
  ])
})

test('what a deck loads from the network is a warning', async () => {
  const slides = `---
theme: none
fonts: { sans: Robot, mono: Fira Code }
---

![x](https://example.com/a.png) <img src="//example.com/b.png"> <img src="http://localhost:8000/c.png">

<Youtube id="x" />

<style>
@import url('https://example.com/font.css');
</style>

\`\`\`plantuml
a -> b
\`\`\`
`
  const copy = 'is loaded from the network: put a copy into public/, so that the slide works without one'
  expect(await check(slides)).toEqual([
    expect.stringMatching(/^warning: slides\.md:2: the icon of the page is loaded from the network \(https:/),
    'warning: slides.md:3: the fonts Robot, Fira Code are loaded from the network (provider google): install them with npm and import them in styles/index.ts, and set fonts.provider to none',
    `warning: slides.md:6 (slide 1): "https://example.com/a.png" ${copy}`,
    `warning: slides.md:6 (slide 1): "//example.com/b.png" ${copy}`,
    'warning: slides.md:8 (slide 1): <Youtube> loads its content from the network: the slide is incomplete without one',
    `warning: slides.md:11 (slide 1): "https://example.com/font.css" ${copy}`,
    `warning: slides.md:14 (slide 1): "https://www.plantuml.com/plantuml" ${copy}`,
  ])
})

test('themes and addons that are not installed are errors', async () => {
  const slides = `---\n${OFFLINE.replace('none', 'seriph')}addons: [nope]\n---\n\n# One\n`
  expect(await check(slides)).toEqual([
    'error: slides.md:2: the theme "seriph" is not installed: npm install @slidev/theme-seriph',
    'error: slides.md:5: the addon "nope" is not installed: npm install slidev-addon-nope',
  ])
})

test('an unknown key is named with the key that was probably meant', async () => {
  const slides = `---
${OFFLINE}understudy: { colls: 80 }
layout: stage
steps:
  a: { tmeout: 3s, expect: { exits: 0 }, capture: { x: { scripts: echo 1 } }, zzz: 1 }
---

\`\`\`sh {step=a}
ls
\`\`\`
`
  const problems = await check(slides)
  for (const [written, meant] of [
    ['understudy.colls', 'cols'],
    ['steps.a.tmeout', 'timeout'],
    ['steps.a.expect.exits', 'exit'],
  ])
    expect(problems).toContainEqual(expect.stringContaining(`unknown key "${written}": did you mean "${meant}"?`))
  expect(problems).toContainEqual(expect.stringMatching(/unknown key "steps\.a\.zzz"$/))
})

test('recordings without a step, unreadable ones and outdated ones are warnings', async () => {
  const slides = `---\n${OFFLINE}layout: stage\n---\n\n\`\`\`sh {step=a}\nls\n\`\`\`\n`
  const recordings = { 'recordings/host/a.cast': 'not a cast', 'recordings/lab/old.cast': '' }
  expect(await check(slides, recordings)).toEqual([
    'warning: recordings/lab/old.cast: the deck has no step "old": remove its recording, or rename it if you have renamed the step',
    'warning: recordings/host/a.cast: the recording of step "a" cannot be read: record the step again',
  ])
})

test('a task that no slide presents is a warning, and its own mistakes are errors', async () => {
  const problems = await check(`---\n${OFFLINE}---\n\n# One\n`, { 'tasks/lonely/task.md': 'x' })
  expect(problems).toContainEqual(
    'warning: tasks/lonely: no slide presents the task "lonely": set "task: lonely" in the frontmatter of a slide, or remove its folder',
  )
  expect(problems).toContainEqual(expect.stringMatching(/^error: tasks\/lonely: /))
})

test('files that replace a part of the addon are warnings with the path of the file', async () => {
  const files = {
    'components/Terminal.vue': '<template />',
    'setup/shortcuts.ts': "export default () => [{ key: 'r' }]",
  }
  expect(await check(`---\n${OFFLINE}---\n\n# One\n`, files)).toEqual([
    expect.stringMatching(/^warning: components\/Terminal\.vue: replaces the component <Terminal>/),
    expect.stringMatching(/^warning: setup\/shortcuts\.ts: uses the key "r"/),
  ])
})

test('errors come first, and a deck that cannot be read has its one error', async () => {
  const slides = `---\n${OFFLINE}---\n\n![x](https://example.com/a.png) ![y](./y.png)\n`
  expect((await check(slides)).map((line) => line.split(':')[0])).toEqual(['error', 'warning'])
  expect(await check('---\ntitle: a: b\n---\n')).toEqual([expect.stringMatching(/^error: slides\.md:2: invalid/)])
})
