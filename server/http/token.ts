import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Role } from '../../shared/roles.ts'

/** The roles of windows that the presenter invites. */
export type GuestRole = Extract<Role, 'audience' | 'remote'>

/** 256 bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/

/**
 * The access token of a deck: the one in the file, or a new one. It is stored, readable by its user only, so that open
 * windows keep their access when the server restarts.
 *
 * @param file absolute; deleting it invalidates every link that was handed out
 */
export async function accessToken(file: string): Promise<string> {
  const stored = await readFile(file, 'utf8').catch(() => '')
  if (TOKEN.test(stored)) {
    await chmod(file, 0o600)
    return stored
  }
  const token = randomBytes(32).toString('base64url')
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, token, { mode: 0o600 })
  return token
}

/**
 * The tokens of the guests, stored as `<file>-<role>`.
 *
 * @param file of the presenter's token, absolute
 */
export async function guestTokens(file: string): Promise<Record<GuestRole, string>> {
  return { audience: await accessToken(`${file}-audience`), remote: await accessToken(`${file}-remote`) }
}

/**
 * The token of a learner, stored as `<file>-learner-<name>`.
 *
 * @param file of the presenter's token, absolute
 */
export function learnerToken(file: string, name: string): Promise<string> {
  return accessToken(`${file}-learner-${name}`)
}

/** The environment variable that gives Slidev's development server the secret of this start. */
export const DOOR_VARIABLE = 'UNDERSTUDY_DOOR'
/** The header in which the front door sends that secret to the development server. */
export const DOOR_HEADER = 'x-understudy-door'

/** Compares two tokens in constant time. */
export function sameToken(expected: string, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(expected), digest(given))
}
