import { z } from 'zod'
import { enter, Viewer } from './viewer.ts'

/** A number of viewers, as a process: each message from its parent is a text, and the answer comes when all of them show it. */
const { link, terminal, count } = z
  .object({ link: z.string(), terminal: z.string(), count: z.number() })
  .parse(JSON.parse(process.argv[2] ?? ''))
const ticket = await enter(link)
const viewers = await Promise.all(Array.from({ length: count }, () => Viewer.open({ ticket, terminal })))
process.on('message', async (text) => {
  await Promise.all(viewers.map((viewer) => viewer.shows(z.string().parse(text))))
  process.send?.({
    snapshots: viewers.reduce((sum, { snapshots }) => sum + snapshots, 0) - count,
    bytes: viewers.reduce((sum, { bytes }) => sum + bytes, 0),
  })
})
process.once('disconnect', () => process.exit())
process.send?.({})
