import { defineRoutesSetup } from '@slidev/types'

/** The page of a phone that is the remote. Before the others: a slide's address is any word. */
export default defineRoutesSetup((routes) => [
  { name: 'remote', path: '/remote', component: () => import('../components/Remote.vue') },
  // Built for the workshop only: nothing of it is in the talk.
  ...(import.meta.env.VITE_UNDERSTUDY_WORKSHOP
    ? [
        { name: 'workshop', path: '/workshop/:no?', component: () => import('../components/workshop/Workshop.vue') },
        { name: 'class', path: '/class', component: () => import('../components/workshop/Class.vue') },
        { name: 'class-learner', path: '/class/:learner', component: () => import('../components/workshop/ClassLearner.vue') },
      ]
    : []),
  ...routes,
])
