import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeError } from './errors.ts'

test('a cache that cannot be created is named, with the variable that chooses another', async () => {
  // Root may write to read-only folders, but not to /sys.
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'))
  await chmod(folder, 0o555)
  const cache = process.getuid?.() === 0 ? '/sys/understudy' : join(folder, 'understudy')
  try {
    const error: unknown = await mkdir(cache).catch((error: unknown) => error)
    expect(describeError(error)).toBe(
      `Cannot write to ${cache}. Set UNDERSTUDY_CACHE to a folder that you can write to.`,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})
