/**
 * The components of Slidev's own pages that are not in its public API. The learner's page uses them to show a slide
 * beside its other panels. The server checks that the installed Slidev has these files (`CLIENT_INTERNALS`).
 */
export { default as SlideContainer } from '@slidev/client/internals/SlideContainer.vue'
export { default as SlidesShow } from '@slidev/client/internals/SlidesShow.vue'
