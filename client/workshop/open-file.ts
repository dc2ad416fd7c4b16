/** What a file is on the learner's disk. */
export interface OnDisk {
  /** Empty where it is not there. */
  text: string
  /** SHA-256 of its bytes; null where it is not there. */
  hash: string | null
}

/** A file that is open in the editor. */
export interface OpenFile {
  path: string
  disk: OnDisk
  /** What the editor has. */
  text: string
  /** The hash of what `text` began from. */
  base: string | null
  /** The text that was sent to be saved, until the server answers. */
  saving?: string | undefined
}

/** `conflict`: it was changed here and on the disk, and neither knows of the other. */
export type FileState = 'clean' | 'dirty' | 'saving' | 'conflict'

/** Text that was not saved, as the browser keeps it. */
export interface Draft {
  text: string
  base: string | null
}

export function stateOf({ disk, text, base, saving }: OpenFile): FileState {
  if (text === disk.text) return 'clean'
  if (base !== disk.hash) return 'conflict'
  return saving === undefined ? 'dirty' : 'saving'
}

/** A file that the server has just shown, with what was typed before the page was left. */
export function opened(path: string, disk: OnDisk, draft?: Draft): OpenFile {
  return draft ? { path, disk, text: draft.text, base: draft.base } : { path, disk, text: disk.text, base: disk.hash }
}

/** It is different on the disk: by a save from here, by another editor, or by a task. Nothing that was typed is lost. */
export function changedOnDisk(file: OpenFile, disk: OnDisk): OpenFile {
  const { path, text } = file
  if (stateOf(file) === 'clean' || text === disk.text) return opened(path, disk)
  // More was typed while it was saved.
  if (file.saving === disk.text) return { path, disk, text, base: disk.hash }
  return { ...file, disk }
}

/** The learner keeps what they have typed, over what is on the disk. */
export function keepMine(file: OpenFile): OpenFile {
  return { ...file, base: file.disk.hash, saving: undefined }
}

/** What is to be kept while the page is away; undefined where nothing would be lost. */
export function draftOf(file: OpenFile): Draft | undefined {
  return stateOf(file) === 'clean' ? undefined : { text: file.text, base: file.base }
}

/** The least that turns one text into another: what stands before and behind it keeps its place, and so does the cursor in it. */
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
