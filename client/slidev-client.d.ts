// The part of @slidev/client's public API that is used here. Slidev ships its client as sources, which do not pass this
// project's stricter checks.
import type { ComputedRef, Ref } from 'vue'

interface Place {
  name?: string | symbol | null
  params: Record<string, string | string[]>
  query: Record<string, string | null | (string | null)[]>
}
interface Slide {
  /** From 1. */
  no: number
  meta: { slide?: { frontmatter: Record<string, unknown>; title?: string; noteHTML?: string } }
}
export function useNav(): {
  isPresenter: Ref<boolean>
  isPrintMode: Ref<boolean>
  next: () => Promise<void>
  prev: () => Promise<void>
  nextSlide: () => Promise<void>
  prevSlide: () => Promise<void>
  goFirst: () => Promise<void>
  goLast: () => Promise<void>
  go: (slide: number, clicks?: number) => Promise<void>
  currentSlideNo: Ref<number>
  currentSlideRoute: Ref<Slide>
  total: Ref<number>
  clicks: ComputedRef<number>
  clicksTotal: ComputedRef<number>
  hasNext: ComputedRef<boolean>
  hasPrev: ComputedRef<boolean>
  slides: Ref<Slide[]>
  /** Vue Router's, as far as it is used here. */
  router: {
    currentRoute: Ref<Place>
    replace: (path: string) => Promise<unknown>
    beforeEach: (guard: (to: Place) => boolean | { path: string; query: Place['query'] }) => () => void
  }
}
export function useSlideContext(): {
  $renderContext: Ref<string>
  $scale: Ref<number>
  $page: Ref<number>
  $frontmatter: Record<string, unknown>
  $slidev: { configs: Record<string, unknown> }
}
export function useIsSlideActive(): ComputedRef<boolean>
export function useDarkMode(): {
  isDark: Ref<boolean>
  toggleDark: () => void
  isColorSchemaConfigured: ComputedRef<boolean>
}
export function lockShortcuts(): () => void
export function addSyncMethod(sync: {
  init: <State extends object>(
    channel: string,
    onUpdate: (data: Partial<State>) => void,
    state: State,
    persist?: boolean,
  ) => ((state: State, updating?: boolean) => void) | undefined
}): void
/** What the windows share. Times are in milliseconds since 1970. */
export const sharedState: {
  page: number
  clicks: number
  timer: { status: 'stopped' | 'running' | 'paused'; startedAt: number; pausedAt: number }
}
/** The headmatter of the deck, with Slidev's defaults. */
export const configs: {
  title: string
  duration?: string
  aspectRatio: number
  canvasWidth: number
  understudy?: { runOnNext?: boolean }
}
