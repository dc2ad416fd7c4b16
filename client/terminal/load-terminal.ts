import type { ConfiguredTerminal } from './create-terminal.ts'

/**
 * Loads xterm.js on demand. It is as large as all other scripts that a slide needs, so a slide is drawn before it has
 * arrived. Terminals of the neighboring slides load it early.
 */

type Module = typeof import('./create-terminal.ts')

export type { ConfiguredTerminal }

let loaded: Module | undefined

/** @returns the module, without waiting if it is already loaded */
export function loadTerminal(): Module | Promise<Module> {
  return loaded ?? import('./create-terminal.ts').then((module) => (loaded = module))
}
