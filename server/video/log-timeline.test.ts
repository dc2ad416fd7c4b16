import { expect, test } from 'vitest'
import { extractSlides, logTimeline, shownSlides } from './log-timeline.ts'
import { type ParsedTalkLog, parseTalkLog } from './talk-log-format.ts'

const header = JSON.stringify({
  version: 1,
  kind: 'understudy-talk',
  title: 'A talk',
  date: '2026-01-01T10:00:00.000Z',
  deck: 'v1',
})
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
const show = (page: number) => ({ type: 'sync', channel: 'shared', state: { page, clicks: 0 } })
const output = (data: string) => ({ type: 'output', terminal: 'a', data })

/** @param messages each with its time in seconds */
function logOf(messages: [seconds: number, message: object][]): ParsedTalkLog {
  const lines = messages.map(([seconds, message]) => JSON.stringify([seconds * 1000, message]))
  return parseTalkLog([header, ...lines].join('\n'))
}

test('the timeline of a log starts 2 s before the first event and ends 5 s after the last', () => {
  const timeline = logTimeline(
    logOf([
      [0, hello],
      [30, show(1)],
      [40, show(2)],
      [100, show(3)],
    ]),
    [],
  )
  expect(timeline.length).toBe(77)
  expect(timeline.events.map(({ time, type }) => [time, type])).toEqual([
    [0, 'show'],
    [2, 'show'],
    [12, 'show'],
    [72, 'show'],
  ])
})

test('the date of a timeline is that of its first frame', () => {
  const { date } = logTimeline(
    logOf([
      [0, hello],
      [30, show(1)],
    ]),
    [],
  )
  expect(date).toBe('2026-01-01T10:00:28.000Z')
})

test('each shown slide is a chapter with the title of the slide', () => {
  const log = logOf([
    [0, hello],
    [30, show(1)],
    [40, show(2)],
    [100, show(3)],
  ])
  const timeline = logTimeline(log, ['One', 'Two', 'Three'])
  expect(timeline.chapters).toEqual([
    { time: 0, title: 'One', slide: 1 },
    { time: 12, title: 'Two', slide: 2 },
    { time: 72, title: 'Three', slide: 3 },
  ])
  expect(shownSlides(timeline)).toEqual([1, 2, 3])
})

const revisited = () =>
  logTimeline(
    logOf([
      [0, hello],
      [10, show(1)],
      [20, show(2)],
      [25, output('on another slide')],
      [30, show(1)],
      [35, show(3)],
    ]),
    [],
  )

test('extractSlides joins the visits of a slide and applies the events between them at once', () => {
  const extracted = extractSlides(revisited(), [1], [])
  expect(extracted.length).toBe(17)
  expect(extracted.events.map(({ time, type }) => [time, type])).toEqual([
    [0, 'show'],
    [2, 'show'],
    [12, 'show'],
    [12, 'output'],
    [12, 'show'],
  ])
})

test('extractSlides fails if the slide was never shown', () => {
  expect(() => extractSlides(revisited(), [9], [])).toThrow('The talk log does not contain slide 9.')
})

test('a log without "hello" is invalid', () => {
  expect(() => logTimeline(logOf([[1, show(1)]]), [])).toThrow('Invalid talk log: missing "hello" event.')
})

test('a log without any activity is rejected as empty', () => {
  expect(() => logTimeline(logOf([[0, hello]]), [])).toThrow('The talk log is empty')
})

test('parseTalkLog ignores an incomplete last line', () => {
  const text = `${header}\n[0,{"type":"output","terminal":"a","data":"x"}]\n[1,{"type":"outp`
  expect(parseTalkLog(text).lines).toHaveLength(1)
})

test('parseTalkLog rejects a file without a header', () => {
  expect(() => parseTalkLog('{"version":3}')).toThrow(
    expect.objectContaining({ failure: { kind: 'invalid-log-header' } }),
  )
})

test('parseTalkLog names the line that is not a message', () => {
  expect(() => parseTalkLog(`${header}\nnonsense\n${JSON.stringify([0, output('x')])}\n`)).toThrow(
    expect.objectContaining({ failure: { kind: 'invalid-log-line', line: 2 } }),
  )
})
