import { ref } from 'vue'

/** The terminal that the page shows. */
export const shownTerminal = ref<string>()
