import { open, rename } from 'node:fs/promises'

/** Writes a file that is on the disk once this returns. Interrupted, it leaves half a file: for one that nobody reads yet. */
export async function writeDurably(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'w')
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Replaces a file: whatever happens, the old one or the new one is there, whole. */
export async function replaceDurably(file: string, content: string | Uint8Array): Promise<void> {
  await writeDurably(`${file}.new`, content)
  await rename(`${file}.new`, file)
}
