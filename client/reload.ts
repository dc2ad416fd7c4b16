import type { DeckState } from '../shared/protocol/state.ts'
import { connection } from './store.ts'

/** Reloads the page if the server has a newer deck or speaks another version of the protocol. */

let version: string | undefined

/**
 * Reloads the page when the server offers another build of the deck. Nothing is lost: snapshots restore the terminals.
 */
export function reloadForVersion(served: string, deck: DeckState): void {
  version ??= served
  if (version !== served && deck.state === 'current') location.reload()
}

/** `sessionStorage` key of the time of the last reload by `reloadIncompatible`, in milliseconds since 1970. */
const RELOADED_KEY = 'understudy-reloaded'
/** A second reload within this time would fail for the same reason. */
const RELOAD_INTERVAL_MS = 60_000

/**
 * Reloads a page that speaks another version of the protocol than the server. If a reload has just failed to help,
 * shows a message instead.
 */
export function reloadIncompatible(): void {
  const last = Number(sessionStorage.getItem(RELOADED_KEY) ?? 0)
  if (Date.now() - last > RELOAD_INTERVAL_MS) {
    sessionStorage.setItem(RELOADED_KEY, String(Date.now()))
    location.reload()
  } else connection.refused = { refusal: { kind: 'outdated-page' } }
}
