import { addSyncMethod, configs } from '@slidev/client'
import { defineAppSetup } from '@slidev/types'
import { connect, may, onSync, send } from '../client/connection.ts'
import Step from '../client/steps/Step.vue'
import { rendererBridge } from '../client/transport/video.ts'
import { BY_ANYBODY, slidesAre } from '../client/position.ts'

/** A learner turns their slides alone, and follows nobody. */
const isLearner = () => /\/workshop(\/|$)/.test(location.pathname)

/** A window that turns no others. On the remote's address no slide is: what Slidev takes for its page there is nobody's. */
const isApart = () => isLearner() || /\/remote$/.test(location.pathname)

/** Windows keep page, clicks and timer in step through the server, so that another machine follows too. */
export default defineAppSetup(({ app }) => {
  // The fence of a step becomes this component (setup/transformers.ts). Registered here under a name of its own, so that a deck's own
  // components keep theirs.
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
      if ('page' in initial) slidesAre(channel)
      // Slidev has presenters follow viewers, and viewers presenters. A window that only looks follows whoever turns the slides.
      const followed = (state: Record<string, unknown>) =>
        'lastUpdate' in state && !may('navigate') ? { ...state, lastUpdate: BY_ANYBODY } : state
      onSync(channel, (state) => !isLearner() && onUpdate(followed(state) as Parameters<typeof onUpdate>[0]))
      return (state, updating) => {
        if (!updating && may('navigate') && !isApart())
          send({ type: 'sync', channel, state: JSON.parse(JSON.stringify(state)) as Record<string, unknown> })
      }
    },
  })
})
