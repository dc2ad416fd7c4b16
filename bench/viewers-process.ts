import { z } from 'zod'
import { logIn, Viewer } from './viewer.ts'

// A child process with several viewers. Each message from its parent is a text; the answer is sent when all viewers show it.
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
  // Each viewer's first snapshot is not counted: it comes with attaching.
  process.send?.({ snapshots: viewers.reduce((sum, { snapshots }) => sum + snapshots, 0) - count })
}
