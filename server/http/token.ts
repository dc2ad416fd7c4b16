import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Role } from '../../shared/roles.ts'

export type GuestRole = Extract<Role, 'audience' | 'remote'>

/** 256 bits, as base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/

/**
 * The access token of a deck. It is kept, readable by its user alone, so that an open window still has access after the
 * server was started again.
 *
 * @param file where it is kept, absolute; remove the file to make every old link useless
 */
export async function accessToken(file: string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(() => '')
  if (TOKEN.test(kept)) {
    await chmod(file, 0o600)
    return kept
  }
  const token = randomBytes(32).toString('base64url')
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, token, { mode: 0o600 })
  return token
}

/** The tokens of those who are not the presenter, each beside the presenter's: `<file>-<role>`. */
export async function guestTokens(file: string): Promise<Record<GuestRole, string>> {
  return { audience: await accessToken(`${file}-audience`), remote: await accessToken(`${file}-remote`) }
}

/** The token of a learner, beside the presenter's: `<file>-learner-<name>`. */
export function learnerToken(file: string, name: string): Promise<string> {
  return accessToken(`${file}-learner-${name}`)
}

/** How Slidev's development server knows the front door: a secret of this start, which it is given in the environment. */
export const DOOR_VARIABLE = 'UNDERSTUDY_DOOR'
export const DOOR_HEADER = 'x-understudy-door'

/** Compares in a time that tells nothing about where two tokens differ. */
export function sameToken(expected: string, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(expected), digest(given))
}
