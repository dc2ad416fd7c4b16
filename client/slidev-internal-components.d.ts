// Components of Slidev's own pages that are not in its public API. The learner's page uses them to show a slide beside
// its other panels.
import type { DefineComponent } from 'vue'

declare const component: DefineComponent<{ isMain?: boolean; renderContext?: 'slide' | 'presenter' }>
export default component
