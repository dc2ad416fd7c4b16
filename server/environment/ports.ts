import { readdir, readFile, readlink } from 'node:fs/promises'

/** The process that listens on a port. */
export interface PortHolder {
  pid: number
  /** Its command line, shortened. */
  command: string
}

/** Longest command line of a holder, in characters. */
const MAX_COMMAND_LENGTH = 80

/** State of a listening socket in /proc/net/tcp (TCP_LISTEN in include/net/tcp_states.h). */
const LISTEN = '0A'

/**
 * Finds the process that listens on a TCP port of this machine.
 *
 * @returns undefined if the process belongs to another user, or if this system has no /proc
 */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  const inodes = await listeningInodes(port)
  if (inodes.size === 0) return undefined
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode !== undefined && inodes.has(inode)) return { pid: Number(pid), command: await commandOf(pid) }
    }
  }
  return undefined
}

/** The inodes of the sockets that listen on a port. */
async function listeningInodes(port: number): Promise<Set<string>> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '')
    for (const line of text.split('\n').slice(1)) {
      const [, address, , state, , , , , , inode] = line.trim().split(/\s+/)
      if (address?.endsWith(`:${hexPort}`) && state === LISTEN && inode !== undefined) inodes.add(inode)
    }
  }
  return inodes
}

async function commandOf(pid: string): Promise<string> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').filter(Boolean)
  const command = words.join(' ')
  return command.length > MAX_COMMAND_LENGTH ? `${command.slice(0, MAX_COMMAND_LENGTH - 1)}…` : command
}
