import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { GUESTS, serveTalk } from '../test/talk.ts'
import { logTimeline } from './log-timeline.ts'
import { parseTalkLog } from './talk-log-format.ts'
import { TalkLog } from './talk-log.ts'

const SECRET = 'correct-horse-battery-staple'
const slides = `# One

---
layout: stage
---

# Two

\`\`\`sh {step=hello}
echo hello ${SECRET}
\`\`\`
`

test('a talk log contains the slides, steps and terminals that the audience saw, with secrets redacted', async () => {
  const talk = await serveTalk(slides, {}, undefined, undefined, [SECRET])
  const file = join(talk.folder, 'talks', 'log.jsonl')
  const failures: string[] = []
  try {
    const log = await TalkLog.open({
      file,
      port: talk.port,
      token: GUESTS.audience,
      title: 'A talk',
      deck: 'v1',
      onFailure: ({ message }) => failures.push(message),
    })
    const presenter = await talk.window()
    presenter.send({ type: 'sync', channel: 'A talk - shared', state: { page: 2, clicks: 0, clicksTotal: 0 } })
    presenter.send({ type: 'attach', terminal: 'hello' })
    presenter.run('hello', `echo hello ${SECRET}`)
    await presenter.step('hello', 'succeeded')
    // Messages and output may arrive in any order. The secret is in the echo of the command and in its output.
    await vi.waitFor(async () => {
      const text = await readFile(file, 'utf8')
      expect(text).toContain('"succeeded"')
      expect(text.split('*'.repeat(SECRET.length)).length).toBeGreaterThan(2)
    }, 20_000)
    await log.close()
    const text = await readFile(file, 'utf8')
    expect(text).not.toContain(SECRET)
    const { events, opening } = logTimeline(parseTalkLog(text), ['One', 'Two'])
    expect(opening.steps.map(({ id }) => id)).toEqual(['hello'])
    expect(events.find(({ type }) => type === 'show')).toMatchObject({ slide: 2 })
    expect(events.flatMap((event) => (event.type === 'step' ? [event.status.state] : []))).toEqual([
      'running',
      'succeeded',
    ])
    const output = events
      .flatMap((event) => (event.type === 'output' || event.type === 'screen' ? [event.data] : []))
      .join('')
    expect(output).toContain(`hello ${'*'.repeat(SECRET.length)}`)
  } finally {
    await talk.close()
  }
  expect(failures).toEqual([])
})
