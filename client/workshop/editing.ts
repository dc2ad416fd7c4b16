import type { editor } from 'monaco-editor/editor/editor.api'

export type { editor as MonacoEditor }
export type Editing = typeof import('./monaco.ts')

let loaded: Promise<Editing> | undefined

/** The editor and what it needs, which are some megabytes: the page is there before them. */
export function loadEditing(): Promise<Editing> {
  return (loaded ??= import('./monaco.ts').then(async (editing) => {
    await editing.prepare()
    return editing
  }))
}
