import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveTalk, type ServedTalk, type TestWindow } from '../test/talk.ts'

/** Secrets that contracts name are redacted for windows that may not type. */

const secret = 'hunter2-very-secret'
const split =
  "printf 'token=hunter2-'; until [ -e continue ]; do sleep 0.05; done; printf 'very-secret\\n'; echo f''inished"
const slides = `---
title: Secrets
steps:
  quoting: { verify: 'echo the token was hunter2-very-secret; false' }
---

\`\`\`sh {step=split}
${split}
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
  presenter.send({ type: 'attach', terminal: 'split', secrets: true })
  // Requests the secrets without the permission to type.
  audience.send({ type: 'attach', terminal: 'split', secrets: true })
})
afterAll(() => talk.close())

test('a secret that is printed in two parts is redacted in all windows but the presenter’s own', async () => {
  presenter.run('split', split)
  await presenter.shows('split', 'token=hunter2-')
  await audience.shows('split', 'token=')
  // Attaches between the two parts.
  const attachedBetween = await talk.window('remote')
  attachedBetween.send({ type: 'attach', terminal: 'split' })
  await attachedBetween.message('snapshot')
  await writeFile(`${talk.workdir}/continue`, '')
  await presenter.step('split', 'succeeded')
  await presenter.shows('split', `token=${secret}\r\n`)
  const attachedAfter = await talk.window('audience')
  attachedAfter.send({ type: 'attach', terminal: 'split' })
  // A presenter's window on the projector, which does not request secrets.
  const projected = await talk.window()
  projected.send({ type: 'attach', terminal: 'split' })
  for (const window of [audience, attachedBetween, attachedAfter, projected]) {
    await window.shows('split', 'finished')
    expect(window.text('split')).toContain('*'.repeat(secret.length))
    // The command line contains the first part too, followed by a quotation mark.
    expect(window.text('split')).not.toMatch(/token=hunter2-(?!')/)
  }
})

test('the audience sees what the presenter types, except secrets', async () => {
  presenter.send({ type: 'input', terminal: 'split', data: 'echo hun' })
  await audience.shows('split', 'echo hun')
  for (const key of secret) presenter.send({ type: 'input', terminal: 'split', data: key })
  presenter.send({ type: 'input', terminal: 'split', data: ' typed\r' })
  await audience.shows('split', ' typed')
  await presenter.shows('split', `hun${secret} typed`)
  expect(audience.text('split')).not.toContain(secret)
})

test('a secret in the output of a verify script is redacted for all windows', async () => {
  presenter.run('quoting', 'true')
  for (const window of [presenter, audience]) {
    const status = JSON.stringify(await window.step('quoting', 'failed'))
    expect(status).toContain('the token was ***')
    expect(status).not.toContain(secret)
  }
  expect(JSON.stringify((await (await talk.window('audience')).message('hello')).steps)).not.toContain(secret)
})

test('windows without secrets share one redacted stream', () => {
  const session = talk.stage.terminals.get('split')?.current
  expect(session?.redacted).not.toBe(session)
  expect(session?.redacted).toBe(session?.redacted)
})
