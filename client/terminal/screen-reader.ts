import { ref, watch } from 'vue'

/** Each browser remembers it for all of its terminals and editors: it is the reader's, not the talk's. */
const KEY = 'understudy-screen-reader'

/** Whether terminals and editors are written for a screen reader. Browsers tell no page that there is one. */
export const screenReader = ref(typeof localStorage !== 'undefined' && localStorage.getItem(KEY) !== null)

watch(screenReader, (on) => {
  if (on) localStorage.setItem(KEY, 'on')
  else localStorage.removeItem(KEY)
})
