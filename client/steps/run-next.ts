/** What "next" does on a slide before it turns it. Both belong to the speaker's keys, the clicker's among them. */

/**
 * Plays a replay that is paused on the slide to its next pause, instead of turning the slide. While it gets there nothing else happens: one
 * press too many does not turn the slide.
 *
 * @returns false where no replay is paused, or it is over
 */
export function stepReplay(): boolean {
  const bars = [...document.querySelectorAll<HTMLElement>('[data-replay]')].filter((bar) => bar.checkVisibility())
  if (bars.some((bar) => bar.dataset.playback === 'stepping')) return true
  const button = bars
    .find((bar) => bar.dataset.playback === 'paused')
    ?.querySelector<HTMLButtonElement>('button[aria-label="Step the replay"]')
  button?.click()
  return Boolean(button)
}

/** The step whose end "next" was asked to wait for: asked again, it turns the slide. */
let waitedFor: Element | undefined

/**
 * Runs the slide's next step instead of turning the slide, where the deck wants it.
 *
 * @returns false where there is nothing to run or to wait for
 */
export function runNext(): boolean {
  const steps = [...document.querySelectorAll<HTMLElement>('[data-step][data-run-on-next]')].filter((step) =>
    step.checkVisibility(),
  )
  const open = steps.filter((step) => step.dataset.state === 'idle')
  if (open.length === 0) return false
  const running = steps.find((step) => step.dataset.state === 'running' || step.dataset.pending)
  if (!running) {
    waitedFor = undefined
    const button = open[0]?.querySelector<HTMLButtonElement>('button[aria-label^="Run "]:not(:disabled)')
    button?.click()
    return Boolean(button)
  }
  // One press too many does not skip what is still to come; a speaker who means it presses again.
  if (running === waitedFor) return false
  waitedFor = running
  return true
}
