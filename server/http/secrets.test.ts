import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveTalk, type ServedTalk, type TestWindow } from '../test/talk.ts'

/** The secrets of the contracts, on the screens of those who may not see them. */

const secret = 'hunter2-very-secret'
const halves = "printf 'token=hunter2-'; until [ -e go-on ]; do sleep 0.05; done; printf 'very-secret\\n'; echo over"
const slides = `---
title: Secrets
steps:
  quoting: { verify: 'echo the token was hunter2-very-secret; false' }
---

\`\`\`sh {step=halves}
${halves}
\`\`\`

\`\`\`sh {step=quoting terminal=quoting}
true
\`\`\`
`

let talk: ServedTalk
let presenter: TestWindow
let audience: TestWindow
beforeAll(async () => {
  talk = await serveTalk(slides, {}, undefined, undefined, [secret])
  presenter = await talk.window()
  audience = await talk.window('audience')
  presenter.send({ type: 'attach', terminal: 'halves', secrets: true })
  // To ask for them is not enough.
  audience.send({ type: 'attach', terminal: 'halves', secrets: true })
})
afterAll(() => talk.close())

test('a secret that comes in two halves is hidden from the audience, from who comes late, and on the projected slides, and the presenter sees it', async () => {
  presenter.run('halves', halves)
  await presenter.shows('halves', 'token=hunter2-')
  await audience.shows('halves', 'token=')
  const between = await talk.window('remote')
  between.send({ type: 'attach', terminal: 'halves' })
  await between.message('snapshot')
  await writeFile(`${talk.workdir}/go-on`, '')
  await presenter.step('halves', 'succeeded')
  await presenter.shows('halves', `token=${secret}\r\n`)
  const late = await talk.window('audience')
  late.send({ type: 'attach', terminal: 'halves' })
  // The presenter's slides, on the projector.
  const projected = await talk.window()
  projected.send({ type: 'attach', terminal: 'halves' })
  for (const window of [audience, between, late, projected]) {
    await window.shows('halves', 'over')
    expect(window.text('halves')).toContain('*'.repeat(secret.length))
    // In the command the two halves stand apart, and the first is followed by its quotation mark.
    expect(window.text('halves')).not.toMatch(/token=hunter2-(?!')/)
  }
})

test('what the presenter types is on the screen of the audience at once, and a secret that is typed is not', async () => {
  presenter.send({ type: 'input', terminal: 'halves', data: 'echo hun' })
  await audience.shows('halves', 'echo hun')
  for (const key of secret) presenter.send({ type: 'input', terminal: 'halves', data: key })
  presenter.send({ type: 'input', terminal: 'halves', data: ' typed\r' })
  await audience.shows('halves', ' typed')
  await presenter.shows('halves', `hun${secret} typed`)
  expect(audience.text('halves')).not.toContain(secret)
})

test('what a script says of a step that failed is told without the secret', async () => {
  presenter.run('quoting', 'true')
  for (const window of [presenter, audience]) {
    const told = JSON.stringify(await window.step('quoting', 'failed'))
    expect(told).toContain('the token was ***')
    expect(told).not.toContain(secret)
  }
  expect(JSON.stringify((await (await talk.window('audience')).message('hello')).steps)).not.toContain(secret)
})

test('all windows that may not see secrets share one redacted stream', () => {
  const session = talk.stage.terminals.get('halves')?.current
  expect(session?.redacted).not.toBe(session)
  expect(session?.redacted).toBe(session?.redacted)
})
