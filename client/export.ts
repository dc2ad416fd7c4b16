import type { ComputedRef } from 'vue'

declare global {
  interface Window {
    /** The number of clicks of the visible slide. */
    understudyClicks?: () => number
  }
}

/** Tells the command `export --with-clicks` (server/cli/export.ts) how many clicks a slide has. */
export function connectExport({ clicksTotal }: { clicksTotal: ComputedRef<number> }): void {
  window.understudyClicks = () => clicksTotal.value
}
