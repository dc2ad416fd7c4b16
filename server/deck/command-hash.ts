import { createHash } from 'node:crypto'

/**
 * Identifies the command that a slide shows.
 *
 * @param command as commandOf() returns it
 * @returns SHA-256 of the command, hex
 */
export function hashCommand(command: string): string {
  return createHash('sha256').update(command).digest('hex')
}
