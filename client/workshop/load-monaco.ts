import type { editor } from 'monaco-editor/editor/editor.api'

export type { editor as MonacoEditor }
export type MonacoModule = typeof import('./monaco.ts')

let loaded: Promise<MonacoModule> | undefined

/** Loads Monaco, which is several megabytes, on first use. */
export function loadMonaco(): Promise<MonacoModule> {
  return (loaded ??= import('./monaco.ts').then(async (module) => {
    await module.prepare()
    return module
  }))
}
