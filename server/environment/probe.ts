import type { Executor } from '../executor/executor.ts'

/**
 * Where a page is reached from this machine, whose address is that of its executor's loopback.
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
 * Asks a page of this machine again and again until it answers as promised.
 *
 * @param signal ends the asking: the step is over
 * @returns true once it answered, false where the signal came first
 */
export async function untilReady(
  page: { http: string; contains?: string | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    if (await answers(page, signal)) return !signal.aborted
    await new Promise<void>((done) => {
      const timer = setTimeout(done, PAUSE)
      signal.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true })
    })
  }
  return false
}

/** Milliseconds between two questions: a viewer does not feel it, a booting VM does not mind it. */
const PAUSE = 250
/** Milliseconds for one answer: QEMU takes connections long before its guest answers them. */
const PATIENCE = 2000

async function answers(page: { http: string; contains?: string | undefined }, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(page.http, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
      redirect: 'manual',
    })
    const text = await response.text()
    return response.ok && (page.contains === undefined || text.includes(page.contains))
  } catch {
    return false
  }
}
