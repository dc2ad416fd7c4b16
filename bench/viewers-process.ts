import { z } from 'zod'
import { logIn, Viewer } from './viewer.ts'

// A child process with several viewers. Each message from the parent is a text. The process answers when all viewers
// show the text.
const { link, terminal, count } = z
  .object({ link: z.string(), terminal: z.string(), count: z.number() })
  .parse(JSON.parse(process.argv[2] ?? ''))
const ticket = await logIn(link)
const viewers = await Promise.all(Array.from({ length: count }, () => Viewer.open({ ticket, terminal })))
process.on('message', (text) => void waitForAll(z.string().parse(text)))
process.once('disconnect', () => process.exit())
process.send?.({})

async function waitForAll(text: string): Promise<void> {
  await Promise.all(viewers.map((viewer) => viewer.waitFor(text)))
  // Does not count the first snapshot of each viewer, which is sent after attaching.
  process.send?.({ snapshots: viewers.reduce((sum, { snapshots }) => sum + snapshots, 0) - count })
}
