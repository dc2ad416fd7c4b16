// The parts of @slidev/client's public API that this project uses. Slidev ships its client as source files, which fail
// this project's stricter checks.
import type { ComputedRef, Ref } from 'vue'

interface RouteLocation {
  name?: string | symbol | null
  params: Record<string, string | string[]>
  query: Record<string, string | null | (string | null)[]>
}
interface Slide {
  /** Number of the slide, from 1. */
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
  /** The parts of Vue Router that this project uses. */
  router: {
    currentRoute: Ref<RouteLocation>
    replace: (path: string) => Promise<unknown>
    beforeEach: (guard: (to: RouteLocation) => boolean | { path: string; query: RouteLocation['query'] }) => () => void
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
/** State that all windows share. Times are in milliseconds since 1970. */
export const sharedState: {
  page: number
  clicks: number
  timer: { status: 'stopped' | 'running' | 'paused'; startedAt: number; pausedAt: number }
}
/** The deck's headmatter, completed with Slidev's defaults. */
export const configs: {
  title: string
  duration?: string
  aspectRatio: number
  canvasWidth: number
  understudy?: { runOnNext?: boolean; keys?: unknown }
}
