import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../executor/executor.ts'

/** Time between two requests: imperceptible to a viewer, negligible for a booting VM. */
const POLL_INTERVAL_MS = 250

/** Time limit for one response: QEMU accepts connections long before its guest responds. */
const RESPONSE_TIMEOUT_MS = 2000

/**
 * Translates a URL on the executor's loopback interface to a URL that this machine can reach.
 *
 * @param url `http://127.0.0.1:8080/…`
 */
export async function reachable(url: string, executor: Pick<Executor, 'forward'>): Promise<string> {
  const reached = new URL(url)
  if (!executor.forward || !['127.0.0.1', 'localhost'].includes(reached.hostname)) return url
  reached.port = String(await executor.forward(Number(reached.port || 80)))
  reached.hostname = '127.0.0.1'
  return reached.href
}

/**
 * Polls a page until it responds with 2xx and the expected text.
 *
 * @param signal stops polling
 * @returns whether the page responded before the signal
 */
export async function untilReady(
  page: { http: string; contains?: string | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    if (await isReady(page, signal)) return !signal.aborted
    // Unlike a timer with a separate listener, this removes its listener when the time is over.
    await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => {})
  }
  return false
}

async function isReady(page: { http: string; contains?: string | undefined }, signal: AbortSignal): Promise<boolean> {
  // AbortSignal.any() is not used, because it stays registered with the signal as long as the signal exists.
  const attempt = new AbortController()
  const abort = () => attempt.abort()
  const timer = setTimeout(abort, RESPONSE_TIMEOUT_MS)
  signal.addEventListener('abort', abort, { once: true })
  try {
    const response = await fetch(page.http, { signal: attempt.signal, redirect: 'manual' })
    const text = await response.text()
    return response.ok && (page.contains === undefined || text.includes(page.contains))
  } catch {
    return false
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
