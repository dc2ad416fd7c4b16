import { computed } from 'vue'
import { connection } from './connection.ts'

/** The channel in which Slidev's windows tell each other where they are. */
let slides = ''

/** @param channel as Slidev has named it */
export function slidesAre(channel: string): void {
  slides = channel
}

/** As `lastUpdate` of a position (Slidev's state/shared.ts): windows of every kind follow it. */
export const BY_ANYBODY = { id: 'understudy', type: 'remote', time: 0 } as const

/** Number of the slide that the windows show, from 1; for a window that shows none itself. */
export const page = computed(() => {
  const told = Number(connection.synced.get(slides)?.page)
  return Number.isInteger(told) ? told : 1
})
