// The part of @slidev/client's public API that is used here. Slidev ships its client as sources, which do not pass this
// project's stricter checks.
import type { ComputedRef, Ref } from 'vue'

export function useNav(): { isPresenter: Ref<boolean>; isPrintMode: Ref<boolean>; next(): void; prev(): Promise<void>; go(no: number, clicks?: number): Promise<void>; currentSlideNo: Ref<number>; total: Ref<number>; clicks: ComputedRef<number>; clicksTotal: ComputedRef<number>; slides: Ref<{ meta: { slide?: { frontmatter: Record<string, unknown> } } }[]> }
export function useSlideContext(): { $renderContext: Ref<string>; $scale: Ref<number>; $page: Ref<number>; $frontmatter: Record<string, unknown> }
export function useIsSlideActive(): ComputedRef<boolean>
export function useDarkMode(): { isDark: Ref<boolean> }
export function lockShortcuts(): () => void
export function addSyncMethod(sync: {
  init<State extends object>(channel: string, onUpdate: (data: Partial<State>) => void, state: State, persist?: boolean): ((state: State, updating?: boolean) => void) | undefined
}): void
/** What the windows share. Times are in milliseconds since 1970. */
export const sharedState: { page: number; clicks: number; timer: { status: 'stopped' | 'running' | 'paused'; startedAt: number; pausedAt: number } }
/** The headmatter of the deck, with Slidev's defaults. */
export const configs: { duration?: string; aspectRatio: number; canvasWidth: number; understudy?: { runOnNext?: boolean } }
