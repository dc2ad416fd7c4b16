import { afterEach, expect, test, vi } from 'vitest'
import { serveTalk } from '../test/talk.ts'

/** Laptops correct their clock when they come to a network: in the middle of a talk. */

const HOUR = 3_600_000

afterEach(() => void vi.useRealTimers())

test('a clock that is set back, or forward, changes no duration, no time limit, and nothing that is waited for', async () => {
  const command = 'sleep 1.2; echo over'
  const talk = await serveTalk(
    `---\ntitle: A talk\nsteps:\n  long: { timeout: 1 }\n---\n\n\`\`\`sh {step=long}\n${command}\n\`\`\`\n`,
  )
  try {
    const window = await talk.window()
    const late = vi.fn()
    talk.stage.on('late', late)
    for (const shift of [-HOUR, HOUR]) {
      vi.useRealTimers()
      window.forget()
      window.run('long', command)
      await window.step('long', 'running')
      // The clock alone: timers are the kernel's monotonic ones.
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + shift })
      const failed = await window.step('long', 'failed')
      expect(failed).toMatchObject({ exit: 0, problems: [{ kind: 'timeout', seconds: 1 }] })
      expect('seconds' in failed && failed.seconds).toBeGreaterThan(1)
      expect('seconds' in failed && failed.seconds).toBeLessThan(5)
    }
    expect(late).toHaveBeenCalledTimes(2)

    // What takes no notice of a signal is killed a moment later, by the same clock.
    vi.useRealTimers()
    window.send({ type: 'attach', terminal: 'long' })
    window.send({ type: 'input', terminal: 'long', data: `trap '' HUP TERM; echo ign""oring; sleep 97531\r` })
    await window.shows('long', 'ignoring')
    const before = performance.now()
    const restarted = talk.stage.terminals.get('long')?.restart()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - HOUR })
    await restarted
    expect(performance.now() - before).toBeLessThan(8000)
  } finally {
    vi.useRealTimers()
    await talk.close()
  }
})
