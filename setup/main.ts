import { addSyncMethod, configs } from '@slidev/client'
import type { AppSetup } from '@slidev/types'
import { registerAuthorComponents } from './author-components.ts'
import { connect, may, onSync, send } from '../client/connection.ts'
import { FOLLOWED_BY_ALL, setPositionChannel } from '../client/position.ts'
import Step from '../client/steps/Step.vue'
import { rendererBridge } from '../client/transport/video.ts'

/** Whether this window belongs to a learner, who navigates independently of all other windows. */
const isLearner = () => /\/workshop(\/|$)/.test(location.pathname)

/**
 * Whether this window does not share its position. The remote control shows no slide, so its position in Slidev is
 * meaningless.
 */
const keepsPositionPrivate = () => isLearner() || /\/remote$/.test(location.pathname)

/** Synchronizes page, clicks and timer through the server, so that windows on other machines follow, too. */
export default (({ app }) => {
  // setup/transformers.ts turns the fence of a step into this component. The prefix avoids conflicts with components of
  // the deck.
  app.component('UnderstudyStep', Step)
  registerAuthorComponents(app)
  connect()
  if (rendererBridge?.canvas)
    Object.assign(configs, {
      canvasWidth: rendererBridge.canvas.width,
      aspectRatio: rendererBridge.canvas.width / rendererBridge.canvas.height,
    })
  addSyncMethod({
    init(channel, onUpdate, initial, persist) {
      if (persist) return undefined
      if ('page' in initial) setPositionChannel(channel)
      // In Slidev, presenters follow viewers, and viewers follow presenters. A view-only window has to follow both.
      const followed = (state: Record<string, unknown>) =>
        'lastUpdate' in state && !may('navigate') ? { ...state, lastUpdate: FOLLOWED_BY_ALL } : state
      onSync(channel, (state) => {
        if (!isLearner()) onUpdate(followed(state) as Parameters<typeof onUpdate>[0])
      })
      return (state, updating) => {
        if (!updating && may('navigate') && !keepsPositionPrivate())
          send({ type: 'sync', channel, state: JSON.parse(JSON.stringify(state)) as Record<string, unknown> })
      }
    },
  })
}) satisfies AppSetup
