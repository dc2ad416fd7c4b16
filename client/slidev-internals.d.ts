// Components of Slidev's own pages that are not in its public API. A page that shows a slide beside other things needs
// them.
import type { DefineComponent } from 'vue'

declare const part: DefineComponent<{ isMain?: boolean; renderContext?: 'slide' | 'presenter' }>
export default part
