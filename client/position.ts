import { computed } from 'vue'
import { connection } from './store.ts'

/** The channel on which Slidev's windows share their position. */
let positionChannel = ''

/** @param channel name that Slidev has chosen */
export function setPositionChannel(channel: string): void {
  positionChannel = channel
}

/** A `lastUpdate` of a position (Slidev's state/shared.ts) that windows of every kind follow. */
export const FOLLOWED_BY_ALL = { id: 'understudy', type: 'remote', time: 0 } as const

/** Number of the slide that the windows show, from 1. Used by the remote control, which shows no slide itself. */
export const page = computed(() => {
  const shown = Number(connection.synced.get(positionChannel)?.page)
  return Number.isInteger(shown) ? shown : 1
})
