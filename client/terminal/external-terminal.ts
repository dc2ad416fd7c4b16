import type { InjectionKey } from 'vue'

/** Provided where slides are shown beside a terminal that stays while they turn: they show none of their own. */
export const TERMINAL_ELSEWHERE: InjectionKey<boolean> = Symbol('the terminal stands beside the slides')
