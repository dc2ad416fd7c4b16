import { vi } from 'vitest'

/** Enough for a shell or a process to start on a busy machine. Vitest's default of one second is not. */
const WAIT_TIMEOUT_MS = 20_000

const { waitFor, waitUntil } = vi
vi.waitFor = (callback, options) => waitFor(callback, withTimeout(options))
vi.waitUntil = (callback, options) => waitUntil(callback, withTimeout(options))

function withTimeout<Options extends object>(options: number | Options = {} as Options) {
  return typeof options === 'number' ? options : { timeout: WAIT_TIMEOUT_MS, ...options }
}
