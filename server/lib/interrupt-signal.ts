const PARENT_CHECK_INTERVAL_MS = 500

/**
 * Returns a signal that aborts when the user or the system ends this command. Call it once, when the command starts.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  // npm does not forward every signal that ends it. This process is then assigned another parent.
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid
    setInterval(() => process.ppid !== parent && controller.abort(), PARENT_CHECK_INTERVAL_MS).unref()
  }
  // Writing to a closed terminal or pipe fails. Without these listeners, the error would end the process before its
  // cleanup.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return controller.signal
}
