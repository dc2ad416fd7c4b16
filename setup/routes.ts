import type { RoutesSetup } from '@slidev/types'

/**
 * Adds the pages of the remote control and the workshop. They precede Slidev's routes, which interpret any other path
 * as a slide.
 */
export default ((routes) => [
  { name: 'remote', path: '/remote', component: () => import('../client/presenter/Remote.vue') },
  // Only in builds for the workshop, so that the talk loads none of these pages.
  ...(import.meta.env.VITE_UNDERSTUDY_WORKSHOP
    ? [
        { name: 'workshop', path: '/workshop/:no?', component: () => import('../client/workshop/Workshop.vue') },
        { name: 'class', path: '/class', component: () => import('../client/workshop/Class.vue') },
        {
          name: 'class-learner',
          path: '/class/:learner',
          component: () => import('../client/workshop/ClassLearner.vue'),
        },
      ]
    : []),
  ...routes,
]) satisfies RoutesSetup
