import type { InjectionKey } from 'vue'

/** Provided by a page that shows terminals beside the slides; its slides then show no terminals. */
export const EXTERNAL_TERMINAL: InjectionKey<boolean> = Symbol('terminal outside the slides')
