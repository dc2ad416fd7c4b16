import { addSyncMethod, configs } from '@slidev/client'
import { defineAppSetup } from '@slidev/types'
import { connect, may, onSync, send } from '../client/connection.ts'
import { FOLLOWED_BY_ALL, setPositionChannel } from '../client/position.ts'
import Step from '../client/steps/Step.vue'
import { rendererBridge } from '../client/transport/video.ts'

/** Learners turn their slides alone and follow nobody. */
const isLearner = () => /\/workshop(\/|$)/.test(location.pathname)

/**
 * Whether this window leaves the slides of other windows alone. The page of the remote shows no slide, so Slidev's
 * position there is meaningless.
 */
const isApart = () => isLearner() || /\/remote$/.test(location.pathname)

/** Keeps page, clicks and timer in step through the server, so that windows on other machines follow too. */
export default defineAppSetup(({ app }) => {
  // setup/transformers.ts turns the fence of a step into this component. The prefix leaves the name free for the deck's
  // own components.
  app.component('UnderstudyStep', Step)
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
      // In Slidev presenters follow viewers and viewers presenters. A view-only window has to follow every window that
      // turns the slides.
      const followed = (state: Record<string, unknown>) =>
        'lastUpdate' in state && !may('navigate') ? { ...state, lastUpdate: FOLLOWED_BY_ALL } : state
      onSync(channel, (state) => {
        if (!isLearner()) onUpdate(followed(state) as Parameters<typeof onUpdate>[0])
      })
      return (state, updating) => {
        if (!updating && may('navigate') && !isApart())
          send({ type: 'sync', channel, state: JSON.parse(JSON.stringify(state)) as Record<string, unknown> })
      }
    },
  })
})
