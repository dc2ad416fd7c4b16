import type { ReplayInfo } from '../../shared/protocol/state.ts'

/** What a replay is doing. `stepping`: it plays to the next pause in the recording. `over`: it is at its end. */
export type PlaybackState = 'playing' | 'stepping' | 'paused' | 'over'

export function playbackState({
  playing,
  stepping,
  time,
  duration,
}: Pick<ReplayInfo, 'playing' | 'stepping' | 'time' | 'duration'>): PlaybackState {
  if (!playing && time >= duration) return 'over'
  if (stepping) return 'stepping'
  return playing ? 'playing' : 'paused'
}
