import { createHash } from 'node:crypto'
import { mkdir, realpath } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { errorCode } from './error-code.ts'

/** Time limit for the process that holds a lock to respond with its id. */
const ANSWER_TIMEOUT_MS = 1000

/** Thrown if another process holds the lock of a folder. */
export class FolderLockedError extends Error {
  override name = 'FolderLockedError'
  readonly pid: number | undefined
  constructor(folder: string, pid: number | undefined) {
    super(
      pid === undefined
        ? `${folder} is in use by another process. Stop that process, then try again.`
        : `${folder} is in use by process ${pid}. Use the link that it printed, or stop it first: kill ${pid}`,
    )
    this.pid = pid
  }
}

/**
 * Locks a folder for this process, because two servers would overwrite each other's files.
 *
 * The lock is a listening socket in Linux's abstract namespace (unix(7)), named after the folder. Binding the name is
 * atomic, and the kernel releases it whenever the process ends, so there is no stale lock to detect. The alternatives
 * have disadvantages. With a lock file created with `O_EXCL`, two processes that find the file of a dead process can
 * both replace it. `proper-lockfile` renews a timestamp: the lock of a killed server blocks its restart for ten
 * seconds, and a suspended server loses its lock. The socket also sends the id of its process, for the error message.
 *
 * Folders are not locked on systems other than Linux, or between containers without a common network namespace.
 *
 * @param folder created if it is missing
 * @returns a function that releases the lock
 * @throws FolderLockedError if this process or another one holds the lock
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (process.platform !== 'linux') return () => Promise.resolve()
  const id = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
  const path = `\0slidev-addon-understudy-${id}`
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(String(process.pid), () => socket.destroy())
  })
  try {
    await listenOn(server, path)
  } catch (error) {
    if (errorCode(error) !== 'EADDRINUSE') throw error
    throw new FolderLockedError(folder, await holderOf(path))
  }
  return () => new Promise((resolve) => server.close(() => resolve()))
}

function listenOn(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, exclusive: true }, () => {
      // The lock must not keep the process running.
      server.unref()
      resolve()
    })
  })
}

/** The id of the process that holds a lock; undefined if it has just ended or does not respond. */
function holderOf(path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect({ path, timeout: ANSWER_TIMEOUT_MS })
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => (answer += text))
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => resolve(/^\d+$/.test(answer) ? Number(answer) : undefined))
  })
}
