import { readdir, readFile, readlink } from 'node:fs/promises'

/** The process that listens on a port. */
export interface Holder {
  pid: number
  command: string
}

/** State of a listening socket in /proc/net/tcp (include/net/tcp_states.h: TCP_LISTEN). */
const LISTEN = '0A'

/**
 * Who listens on a TCP port of this machine. Linux only (/proc); undefined elsewhere, and where the process belongs to
 * somebody else and may not be looked at.
 */
export async function holderOf(port: number): Promise<Holder | undefined> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '')
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(`:${wanted}`) && fields[3] === LISTEN && fields[9]) inodes.add(fields[9])
    }
  }
  if (inodes.size === 0) return undefined
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode && inodes.has(inode)) {
        const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').filter(Boolean)
        const command = words.join(' ')
        return { pid: Number(pid), command: command.length > 80 ? `${command.slice(0, 79)}…` : command }
      }
    }
  }
  return undefined
}

/** A port that is taken, for people: who holds it and how to be rid of it. */
export async function describeHolder(port: number): Promise<string> {
  const holder = await holderOf(port)
  return holder
    ? `Port ${port} is taken by process ${holder.pid} (${holder.command}). End it with: kill ${holder.pid}`
    : `Port ${port} is taken by another process. Find it with: sudo ss -ltnp 'sport = :${port}'`
}
