import type { DeckState } from '../shared/protocol/state.ts'
import { connection } from './store.ts'

/** Reloads of the page that a newer or an incompatible server makes necessary. */

let version: string | undefined

/**
 * Reloads the page when the server offers another build of the deck. Nothing is lost: terminals come back by their
 * snapshot.
 */
export function reloadForVersion(served: string, deck: DeckState): void {
  version ??= served
  if (version !== served && deck.state === 'current') location.reload()
}

/** `sessionStorage` key of the time of the last reload by `reloadIncompatible`, in milliseconds since 1970. */
const RELOADED_KEY = 'understudy-reloaded'
/** A second reload within this time would not help either. */
const RELOAD_INTERVAL_MS = 60_000

/**
 * Reloads a page that speaks another version of the protocol than the server; if that was just tried, shows a message
 * instead.
 */
export function reloadIncompatible(): void {
  const last = Number(sessionStorage.getItem(RELOADED_KEY) ?? 0)
  if (Date.now() - last > RELOAD_INTERVAL_MS) {
    sessionStorage.setItem(RELOADED_KEY, String(Date.now()))
    location.reload()
  } else connection.refused = { refusal: { kind: 'outdated-page' } }
}
