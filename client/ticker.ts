import type { Ticker } from '../shared/recording/player.ts'

/** The clock of replays in the browser: real time. */
export const ticker: Ticker = {
  now: () => performance.now(),
  every(milliseconds, tick) {
    const timer = setInterval(tick, milliseconds)
    return () => clearInterval(timer)
  },
}
