import type { Ticker } from '../../shared/recording/player.ts'

/** The server's clock for replays: real time. */
export const ticker: Ticker = {
  now: () => performance.now(),
  every(milliseconds, tick) {
    const timer = setInterval(tick, milliseconds)
    return () => clearInterval(timer)
  },
}
