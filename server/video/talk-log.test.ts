import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { GUESTS, serveTalk } from '../test/talk.ts'
import { logTimeline, LogError, onlySlides, parseLog, slidesOf } from './log-timeline.ts'
import { TalkLog } from './talk-log.ts'
import type { FilmEvent } from '../../shared/video/timeline.ts'

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

test('the log of a talk has what the audience saw of slides, steps and terminals, without its secrets', async () => {
  const talk = await serveTalk(slides, {}, undefined, undefined, [SECRET])
  const file = join(talk.folder, 'talks', 'log.jsonl')
  const problems: string[] = []
  try {
    const log = await TalkLog.open({
      file,
      port: talk.port,
      token: GUESTS.audience,
      title: 'A talk',
      deck: 'v1',
      onProblem: (message) => problems.push(message),
    })
    const speaker = await talk.window()
    speaker.send({ type: 'sync', channel: 'A talk - shared', state: { page: 2, clicks: 0, clicksTotal: 0 } })
    speaker.send({ type: 'attach', terminal: 'hello' })
    speaker.run('hello', `echo hello ${SECRET}`)
    await speaker.step('hello', 'succeeded')
    // What is told and what is shown come on their own ways. The command is echoed, and then it prints.
    await vi.waitFor(async () => {
      const text = await readFile(file, 'utf8')
      expect(text).toContain('"succeeded"')
      expect(text.split('*'.repeat(SECRET.length)).length).toBeGreaterThan(2)
    }, 20_000)
    await log.close()
    const text = await readFile(file, 'utf8')
    expect(text).not.toContain(SECRET)
    const { events, opening } = logTimeline(parseLog(text), ['One', 'Two'])
    expect(opening.steps.map(({ id }) => id)).toEqual(['hello'])
    expect(events.find(({ type }) => type === 'show')).toMatchObject({ slide: 2 })
    expect(events.flatMap((event) => (event.type === 'step' ? [event.status.state] : []))).toEqual([
      'running',
      'succeeded',
    ])
    const shown = events
      .flatMap((event: FilmEvent) => (event.type === 'output' || event.type === 'screen' ? [event.data] : []))
      .join('')
    expect(shown).toContain(`hello ${'*'.repeat(SECRET.length)}`)
  } finally {
    await talk.close()
  }
  expect(problems).toEqual([])
})

test('a talk is filmed from its first to its last event, with the pauses that it had', async () => {
  const film = logTimeline(
    given([
      [30, show(1)],
      [40, show(2)],
      [100, show(3)],
    ]),
    ['One', 'Two', 'Three'],
  )
  expect(film.length).toBe(77)
  expect(film.events.map(({ time, type }) => [time, type])).toEqual([
    [0, 'show'],
    [2, 'show'],
    [12, 'show'],
    [72, 'show'],
  ])
  expect(film.chapters).toEqual([
    { time: 0, title: 'One', slide: 1 },
    { time: 12, title: 'Two', slide: 2 },
    { time: 72, title: 'Three', slide: 3 },
  ])
  // The clock that the page shows is that of the talk.
  expect(film.date).toBe('2026-01-01T10:00:28.000Z')
  expect(slidesOf(film)).toEqual([1, 2, 3])
})

test('a talk is cut by slides, also one that was shown twice, and what was done in between is done', async () => {
  const film = logTimeline(
    given([
      [10, show(1)],
      [20, show(2)],
      [25, output('while away')],
      [30, show(1)],
      [35, show(3)],
    ]),
    [],
  )
  const cut = onlySlides(film, [1], [])
  expect(cut.length).toBe(17)
  expect(cut.events.map(({ time, type }) => [time, type])).toEqual([
    [0, 'show'],
    [2, 'show'],
    [12, 'show'],
    [12, 'output'],
    [12, 'show'],
  ])
  expect(() => onlySlides(film, [9], [])).toThrow('never on slide 9')
})

test('a log that was cut off is read up to there, and what is no log is named by its line', () => {
  const text = `${header}\n[0,{"type":"output","terminal":"a","data":"x"}]\n[1,{"type":"outp`
  expect(parseLog(text).lines).toHaveLength(1)
  expect(() => parseLog('{"version":3}')).toThrow(LogError)
  expect(() => parseLog(`${header}\nnonsense\n[0,{"type":"output","terminal":"a","data":"x"}]\n`)).toThrow('line 2')
})

const header = JSON.stringify({
  version: 1,
  kind: 'understudy-talk',
  title: 'A talk',
  date: '2026-01-01T10:00:00.000Z',
  deck: 'v1',
})
const show = (page: number) => ({ type: 'sync', channel: 'shared', state: { page, clicks: 0 } })
const output = (data: string) => ({ type: 'output', terminal: 'a', data })

/** @param lines seconds and messages */
function given(lines: [number, object][]) {
  const hello = {
    type: 'hello',
    profile: 'host',
    role: 'audience',
    permissions: ['view'],
    share: {},
    version: 'v1',
    deck: { state: 'current' },
    steps: [],
    terminals: [],
    sync: { shared: { page: 1, clicks: 0 } },
  }
  return parseLog(
    [
      header,
      JSON.stringify([0, hello]),
      ...lines.map(([seconds, message]) => JSON.stringify([seconds * 1000, message])),
    ].join('\n'),
  )
}
