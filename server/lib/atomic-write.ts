import { open, rename } from 'node:fs/promises'

/**
 * Writes a file and flushes it to the disk. Not atomic: an interruption leaves a partial file, so use it only for files
 * that are renamed afterward.
 */
export async function writeFlushed(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'w')
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Replaces a file atomically: after an interruption, it has either its old or its new content. Calls must not overlap.
 */
export async function writeAtomically(file: string, content: string | Uint8Array): Promise<void> {
  await writeFlushed(`${file}.new`, content)
  await rename(`${file}.new`, file)
}
