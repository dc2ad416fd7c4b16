import { z } from 'zod'
import { type ChildProcess, startChildProcess } from './child-process.ts'

const ready = z.object({ link: z.string(), terminal: z.string() })

/** The measured server, with the link to its deck and the name of its terminal. */
export type ServerUnderTest = ChildProcess<z.infer<typeof ready>>

export const startServerUnderTest = (): Promise<ServerUnderTest> =>
  startChildProcess('server-process.ts', [], (message) => ready.parse(message))
