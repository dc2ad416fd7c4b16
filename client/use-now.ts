import { onScopeDispose, type Ref, ref } from 'vue'

/** The current time in milliseconds since 1970, updated at an interval for as long as the component is mounted. */
export function useNow(intervalMs: number): Readonly<Ref<number>> {
  const now = ref(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), intervalMs)
  onScopeDispose(() => clearInterval(timer))
  return now
}
