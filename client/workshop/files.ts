import { reactive } from 'vue'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { send } from '../connection.ts'
import {
  changedOnDisk,
  type Draft,
  draftOf,
  type FileOnDisk,
  keepMine,
  opened,
  type OpenFile,
  stateOf,
} from './open-file.ts'

interface Files {
  /** By path. */
  open: Map<string, OpenFile>
  /** Path of the file in the editor. */
  current: string | undefined
}

/** The files of the workspace that are open in this window. */
export const files: Files = reactive({ open: new Map<string, OpenFile>(), current: undefined })

/** The format in which the browser stores open and unsaved files, so that a reload loses nothing. */
const storedFiles = z.object({
  current: z.string().optional(),
  drafts: z.record(z.string(), z.object({ text: z.string(), base: z.string().nullable() })).default({}),
})

/** Path of the file to show once the server has sent it. Until then the editor shows the previous file. */
let pendingFile: string | undefined

let storageKey: string | undefined
let storedCurrent: string | undefined
let drafts = new Map<string, Draft>()

/**
 * Restores the open and unsaved files of a workspace after a reload or a reconnection. One browser may have several
 * workspaces.
 *
 * @param workspace path of the workspace on the learner's machine
 */
export function useWorkspace(workspace: string): void {
  const key = `understudy-workshop-files ${workspace}`
  if (storageKey !== key) {
    storageKey = key
    const stored = storedFiles.safeParse(json(localStorage.getItem(key) ?? '{}')).data
    storedCurrent = stored?.current
    drafts = new Map(Object.entries(stored?.drafts ?? {}))
    files.open.clear()
    files.current = undefined
    pendingFile = storedCurrent
  }
  for (const path of new Set([
    ...files.open.keys(),
    ...drafts.keys(),
    ...(pendingFile === undefined ? [] : [pendingFile]),
  ]))
    request(path)
}

function store(): void {
  if (storageKey === undefined) return
  const stored: z.infer<typeof storedFiles> = { drafts: Object.fromEntries(drafts) }
  if (storedCurrent !== undefined) stored.current = storedCurrent
  localStorage.setItem(storageKey, JSON.stringify(stored))
}

function request(path: string): void {
  send({ type: 'open-file', path })
}

/** Whether no file is open or about to open. */
export function nothingOpen(): boolean {
  return files.current === undefined && pendingFile === undefined
}

export function openFile(path: string): void {
  storedCurrent = path
  store()
  if (files.open.has(path)) {
    files.current = path
    return
  }
  pendingFile = path
  request(path)
}

/** Handles a file that the server has sent. */
export function fileReceived(path: string, disk: FileOnDisk): void {
  const file = files.open.get(path)
  put(file ? changedOnDisk(file, disk) : opened(path, disk, drafts.get(path)))
  showIfPending(path)
}

function showIfPending(path: string): void {
  if (pendingFile !== path) return
  pendingFile = undefined
  files.current = path
}

/** Handles the server's confirmation that a file was saved. */
export function saved(path: string, hash: string): void {
  const file = files.open.get(path)
  if (file?.saving !== undefined) put(changedOnDisk(file, { text: file.saving, hash }))
}

/** Handles a save that the server has rejected, because the file has changed on the disk since it was opened. */
export function saveConflicted(path: string, theirs: FileOnDisk): void {
  const file = files.open.get(path)
  if (file) put(changedOnDisk({ ...file, saving: undefined }, theirs))
}

/** Handles the server's refusal to open or save a file. */
export function requestFailed(path: string): void {
  const file = files.open.get(path)
  if (file) return put({ ...file, saving: undefined })
  // The file was removed or can no longer be opened. Its draft remains accessible.
  const draft = drafts.get(path)
  if (draft) put(opened(path, { text: '', hash: null }, draft))
  showIfPending(path)
}

/**
 * Handles a change of a file on the disk.
 *
 * @param hash null if the file was removed
 */
export function fileChanged(path: string, hash: string | null): void {
  const file = files.open.get(path)
  if (!file || file.disk.hash === hash) return
  if (hash !== null) request(path)
  else if (stateOf(file) !== 'clean') put(changedOnDisk(file, { text: '', hash: null }))
  else close(path)
}

function close(path: string): void {
  files.open.delete(path)
  drafts.delete(path)
  if (files.current === path) files.current = undefined
  if (storedCurrent === path) storedCurrent = undefined
  store()
}

/** Handles an edit by the learner. */
export function edit(path: string, text: string): void {
  const file = files.open.get(path)
  if (file && file.text !== text) put({ ...file, text })
}

export function save(path: string): void {
  const file = files.open.get(path)
  if (!file || stateOf(file) !== 'dirty') return
  send({ type: 'save-file', path, text: file.text, base: file.base })
  put({ ...file, saving: file.text })
}

/** Resolves a conflict: `theirs` keeps the file on the disk, `mine` saves the learner's text. */
export function resolveConflict(path: string, choice: 'theirs' | 'mine'): void {
  const file = files.open.get(path)
  if (!file) return
  if (choice === 'theirs') return file.disk.hash === null ? close(path) : put(opened(path, file.disk))
  put(keepMine(file))
  save(path)
}

function put(file: OpenFile): void {
  files.open.set(file.path, file)
  const draft = draftOf(file)
  if (draft) drafts.set(file.path, draft)
  else drafts.delete(file.path)
  store()
}
