import { afterEach, expect, test, vi } from 'vitest'
import { serveTalk } from '../test/talk.ts'

/** A laptop may correct its clock during a talk, for example when it joins a network. */

const HOUR_MS = 3_600_000
const TIMEOUT_SECONDS = 1

/** Sets only the wall clock: timers use the kernel's monotonic clock. */
function shiftClock(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
}

afterEach(() => void vi.useRealTimers())

test.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('setting the clock %s by an hour changes neither the duration nor the timeout of a step', async (_, shift) => {
  const command = 'sleep 1.2; echo over'
  const talk = await serveTalk(deckWithStep(command))
  try {
    const window = await talk.window()
    const onLate = vi.fn()
    talk.stage.on('late', onLate)
    window.run('long', command)
    await window.step('long', 'running')
    shiftClock(shift)
    const status = await window.step('long', 'failed')
    expect(status).toMatchObject({ exit: 0, problems: [{ kind: 'timeout', seconds: TIMEOUT_SECONDS }] })
    expect('seconds' in status && status.seconds).toBeGreaterThan(1)
    expect('seconds' in status && status.seconds).toBeLessThan(5)
    expect(onLate).toHaveBeenCalledTimes(1)
  } finally {
    vi.useRealTimers()
    await talk.close()
  }
})

test('setting the clock back does not delay killing a process that ignores signals', async () => {
  const talk = await serveTalk(deckWithStep('true'))
  try {
    const window = await talk.window()
    window.send({ type: 'attach', terminal: 'long' })
    window.send({ type: 'input', terminal: 'long', data: `trap '' HUP TERM; echo ign""oring; sleep 97531\r` })
    await window.shows('long', 'ignoring')
    const start = performance.now()
    const restarted = talk.stage.terminals.get('long')?.restart()
    shiftClock(-HOUR_MS)
    await restarted
    expect(performance.now() - start).toBeLessThan(8000)
  } finally {
    vi.useRealTimers()
    await talk.close()
  }
})

function deckWithStep(command: string): string {
  return `---
title: A talk
steps:
  long: { timeout: ${TIMEOUT_SECONDS} }
---

\`\`\`sh {step=long}
${command}
\`\`\`
`
}
