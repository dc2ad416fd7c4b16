import { ref } from 'vue'

/** Name of the terminal in the terminal panel. */
export const shownTerminal = ref<string>()
