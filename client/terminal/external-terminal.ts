import type { InjectionKey } from 'vue'

/** Provided by a page that shows the terminal beside the slides: slides within it show none of their own. */
export const EXTERNAL_TERMINAL: InjectionKey<boolean> = Symbol('terminal outside the slides')
