import { onScopeDispose, readonly, ref, type Ref } from 'vue'

/** Minimum time between two flashes: more than three in a second can cause seizures (WCAG 2.3.1). */
const FLASH_INTERVAL_MS = 500

/** The visual bell of a terminal: `ring` starts a flash, unless the last flash was too recent. */
export function useBell(): { ringing: Readonly<Ref<boolean>>; ring: () => void } {
  const ringing = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  function ring(): void {
    if (timer) return
    ringing.value = true
    timer = setTimeout(() => {
      timer = undefined
      ringing.value = false
    }, FLASH_INTERVAL_MS)
  }
  onScopeDispose(() => clearTimeout(timer))
  return { ringing: readonly(ringing), ring }
}
