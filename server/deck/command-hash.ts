import { createHash } from 'node:crypto'
import { commandOf } from '../../shared/deck/fence.ts'

/**
 * Identifies the command that a slide shows.
 *
 * @param code the contents of the fence
 * @returns SHA-256 of the command, hex
 */
export function hashCommand(code: string): string {
  return createHash('sha256').update(commandOf(code)).digest('hex')
}
