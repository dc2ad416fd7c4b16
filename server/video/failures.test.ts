import { expect, test } from 'vitest'
import { VideoError } from './failures.ts'

test('the message of an incomplete frame names the time, the slide and the problem', () => {
  const error = new VideoError({
    kind: 'incomplete-frame',
    problem: { kind: 'line-not-rendered', terminal: 'vm', line: 3 },
    position: { time: 12.5, slide: 4 },
  })
  expect(error.message).toBe('At 12.50 s, slide 4: Terminal "vm" did not render line 3 of its screen.')
})

test('the message of a size limit gives the limit in MiB', () => {
  expect(new VideoError({ kind: 'log-too-large', maxBytes: 256 << 20 }).message).toContain('limit of 256 MiB')
})
