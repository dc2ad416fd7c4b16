import { defineRoutesSetup } from '@slidev/types'

/** The page of a phone that is the remote. Before the others: a slide's address is any word. */
export default defineRoutesSetup((routes) => [
  { name: 'remote', path: '/remote', component: () => import('../client/presenter/Remote.vue') },
  // Built for the workshop only: nothing of it is in the talk.
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
])
