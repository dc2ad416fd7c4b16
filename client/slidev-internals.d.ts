// Parts of Slidev's own pages: a page that shows a slide beside other things needs them, and they are not in its public API.
import type { DefineComponent } from 'vue'

declare const part: DefineComponent<{ isMain?: boolean; renderContext?: 'slide' | 'presenter' }>
export default part
