import { ref, watch } from 'vue'

/**
 * `localStorage` key. The mode belongs to the person at this browser, so it applies to every terminal and editor, in
 * every talk.
 */
const KEY = 'understudy-screen-reader'

/** Whether terminals and editors support a screen reader. Pages cannot detect one. */
export const screenReader = ref(typeof localStorage !== 'undefined' && localStorage.getItem(KEY) !== null)

watch(screenReader, (on) => {
  if (on) localStorage.setItem(KEY, 'on')
  else localStorage.removeItem(KEY)
})
