/** The content of a file on the learner's disk. */
export interface FileOnDisk {
  /** Empty if the file does not exist. */
  text: string
  /** SHA-256 of its bytes; null if the file does not exist. */
  hash: string | null
}

/** A file that is open in the editor. */
export interface OpenFile {
  path: string
  disk: FileOnDisk
  /** The text in the editor. */
  text: string
  /** Hash of the content on the disk that `text` is based on. */
  base: string | null
  /** The text that was sent to be saved, until the server answers. */
  saving?: string | undefined
}

/** `conflict`: the file has changed both in the editor and on the disk. */
export type FileState = 'clean' | 'dirty' | 'saving' | 'conflict'

/** An unsaved text, as the browser stores it. */
export interface Draft {
  text: string
  base: string | null
}

export function stateOf({ disk, text, base, saving }: OpenFile): FileState {
  if (text === disk.text) return 'clean'
  if (base !== disk.hash) return 'conflict'
  return saving === undefined ? 'dirty' : 'saving'
}

/** Opens a file that the server has sent, with the draft from before a reload. */
export function opened(path: string, disk: FileOnDisk, draft?: Draft): OpenFile {
  return draft ? { path, disk, text: draft.text, base: draft.base } : { path, disk, text: disk.text, base: disk.hash }
}

/** Applies a change on the disk by a save, another editor or a task. Keeps unsaved text. */
export function changedOnDisk(file: OpenFile, disk: FileOnDisk): OpenFile {
  const { path, text } = file
  if (stateOf(file) === 'clean' || text === disk.text) return opened(path, disk)
  // The change is the editor's own save, and the learner has typed more since.
  if (file.saving === disk.text) return { path, disk, text, base: disk.hash }
  return { ...file, disk }
}

/** Resolves a conflict in favor of the editor's text, which can then be saved. */
export function keepMine(file: OpenFile): OpenFile {
  return { ...file, base: file.disk.hash, saving: undefined }
}

/** @returns the unsaved text; undefined if there is none */
export function draftOf(file: OpenFile): Draft | undefined {
  return stateOf(file) === 'clean' ? undefined : { text: file.text, base: file.base }
}

/**
 * Computes the smallest single replacement that turns one text into another. It does not move a cursor outside the
 * replaced part.
 */
export function difference(before: string, after: string): { from: number; to: number; text: string } {
  let from = 0
  while (from < before.length && from < after.length && before[from] === after[from]) from++
  let end = 0
  while (
    end < before.length - from &&
    end < after.length - from &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++
  return { from, to: before.length - end, text: after.slice(from, after.length - end) }
}
