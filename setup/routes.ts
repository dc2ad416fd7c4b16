import { defineRoutesSetup } from '@slidev/types'

/** The page of a phone that is the remote. Before the others: a slide's address is any word. */
export default defineRoutesSetup((routes) => [{ name: 'remote', path: '/remote', component: () => import('../components/Remote.vue') }, ...routes])
