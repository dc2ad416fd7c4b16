import { reactive } from 'vue'
import { send } from '../connection.ts'
import {
  changedOnDisk,
  type Draft,
  draftOf,
  keepMine,
  type OnDisk,
  opened,
  type OpenFile,
  stateOf,
} from './open-file.ts'

interface Files {
  open: Record<string, OpenFile>
  /** The one that the editor shows. */
  current: string | undefined
}

/** The files of the learner's copy that are open in this window. */
export const files: Files = reactive({ open: {}, current: undefined })

/** What the browser keeps of a copy while the page is away. */
interface Kept {
  current?: string | undefined
  drafts: Record<string, Draft>
}

/** The one to be shown as soon as it is there: the one before stays in the editor meanwhile. */
let wanted: string | undefined

let key: string | undefined
let kept: Kept = { drafts: {} }

/**
 * Takes up what was left of a copy, after a reload or when the connection has come back. A browser may have seen several copies.
 *
 * @param copy where it is on the learner's machine
 */
export function useCopy(copy: string): void {
  const theirs = `understudy-workshop-files ${copy}`
  if (key !== theirs) {
    key = theirs
    kept = read(key)
    files.open = {}
    files.current = undefined
    wanted = kept.current
  }
  for (const path of new Set([
    ...Object.keys(files.open),
    ...Object.keys(kept.drafts),
    ...(wanted === undefined ? [] : [wanted]),
  ]))
    ask(path)
}

function read(key: string): Kept {
  try {
    const told: unknown = JSON.parse(localStorage.getItem(key) ?? '{}')
    if (typeof told === 'object' && told !== null) return { drafts: {}, ...told }
  } catch {
    // Written by something else: there is nothing to take up.
  }
  return { drafts: {} }
}

function keep(): void {
  if (key !== undefined) localStorage.setItem(key, JSON.stringify(kept))
}

function ask(path: string): void {
  send({ type: 'open-file', path })
}

/** Whether the learner has not opened any file yet. */
export function nothingOpen(): boolean {
  return files.current === undefined && wanted === undefined
}

export function openFile(path: string): void {
  kept.current = path
  keep()
  if (files.open[path]) files.current = path
  else ask((wanted = path))
}

export function received(path: string, disk: OnDisk): void {
  const known = files.open[path]
  put(known ? changedOnDisk(known, disk) : opened(path, disk, kept.drafts[path]))
  show(path)
}

function show(path: string): void {
  if (wanted !== path) return
  wanted = undefined
  files.current = path
}

/** The server has written what it was sent. */
export function saved(path: string, hash: string): void {
  const file = files.open[path]
  if (file?.saving !== undefined) put(changedOnDisk(file, { text: file.saving, hash }))
}

/** The server has not written it: something else is there. */
export function refusedFor(path: string, theirs: OnDisk): void {
  const file = files.open[path]
  if (file) put(changedOnDisk({ ...file, saving: undefined }, theirs))
}

/** It could not be written, or read, at all. */
export function failed(path: string): void {
  const file = files.open[path]
  if (file) put({ ...file, saving: undefined })
  else {
    // Typed into a file that is no longer one: to be found where the browser keeps it.
    if (kept.drafts[path]) put(opened(path, { text: '', hash: null }, kept.drafts[path]))
    show(path)
  }
}

/** Something has written the file, or removed it. */
export function changed(path: string, hash: string | null): void {
  const file = files.open[path]
  if (!file || file.disk.hash === hash) return
  if (hash !== null) ask(path)
  else if (stateOf(file) !== 'clean') put(changedOnDisk(file, { text: '', hash: null }))
  else close(path)
}

function close(path: string): void {
  delete files.open[path]
  delete kept.drafts[path]
  if (files.current === path) files.current = undefined
  if (kept.current === path) kept.current = undefined
  keep()
}

export function edit(path: string, text: string): void {
  const file = files.open[path]
  if (file && file.text !== text) put({ ...file, text })
}

export function save(path: string): void {
  const file = files.open[path]
  if (!file || stateOf(file) !== 'dirty') return
  send({ type: 'save-file', path, text: file.text, base: file.base })
  put({ ...file, saving: file.text })
}

/** Ends a conflict: with what is on the disk, or with what was typed, which is saved. */
export function settle(path: string, takeTheirs: boolean): void {
  const file = files.open[path]
  if (!file) return
  if (takeTheirs) return file.disk.hash === null ? close(path) : put(opened(path, file.disk))
  put(keepMine(file))
  save(path)
}

function put(file: OpenFile): void {
  files.open[file.path] = file
  const draft = draftOf(file)
  if (draft) kept.drafts[file.path] = draft
  else delete kept.drafts[file.path]
  keep()
}
