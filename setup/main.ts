import { addSyncMethod } from '@slidev/client'
import { defineAppSetup } from '@slidev/types'
import { connect, onSync, send } from '../components/connection.ts'

/** Windows keep page, clicks and timer in step through the server, so that another machine follows too. */
export default defineAppSetup(() => {
  connect()
  addSyncMethod({
    init(channel, onUpdate, _state, persist) {
      if (persist) return undefined
      onSync(channel, (state) => onUpdate(state as Parameters<typeof onUpdate>[0]))
      return (state, updating) => {
        if (!updating) send({ type: 'sync', channel, state: JSON.parse(JSON.stringify(state)) as Record<string, unknown> })
      }
    },
  })
})
