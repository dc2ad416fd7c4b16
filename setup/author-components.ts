import { type App, type Component, defineAsyncComponent, h } from 'vue'

/** Loads a component for authors. Videos wait for elements of this class (server/video/virtual-clock.ts). */
const lazily = (load: () => Promise<{ default: Component }>) =>
  defineAsyncComponent({
    loader: load,
    delay: 0,
    loadingComponent: { render: () => h('span', { class: 'understudy-loading' }) },
    suspensible: false,
  })

/** The components that an author writes in a deck, by their short names. */
const COMPONENTS: Record<string, Component> = {
  Terminal: lazily(() => import('../components/UnderstudyTerminal.vue')),
  Measured: lazily(() => import('../components/UnderstudyMeasured.vue')),
  MeasuredChart: lazily(() => import('../components/UnderstudyMeasuredChart.vue')),
  MeasuredOverTime: lazily(() => import('../components/UnderstudyMeasuredOverTime.vue')),
  ShareLink: lazily(() => import('../components/UnderstudyShareLink.vue')),
}

/**
 * Registers the components under their short names. The files in components/ have only long names: if two folders have
 * a component of the same name, Slidev uses the one whose path sorts last. Vue looks up a registered name only if no
 * folder has a component of that name, so a component of the deck, its theme or another addon always takes precedence.
 */
export function registerAuthorComponents(app: App): void {
  for (const [name, component] of Object.entries(COMPONENTS)) if (!app.component(name)) app.component(name, component)
}
