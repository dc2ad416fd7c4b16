import type { ReplayInfo } from '../../shared/protocol/state.ts'

/** The state of a replay. `stepping`: playing to the next pause in the recording. `over`: at the end. */
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
