/** Aborts when the user, or the system, ends this command. To be called once, first of all. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  // npm passes some signals on and dies of others: without it nobody can end what it has started.
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid
    setInterval(() => process.ppid !== parent && controller.abort(), 500).unref()
  }
  // A closed terminal hangs up and takes no more text, and a pipe may have lost its reader: what runs is still to be ended in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return controller.signal
}
