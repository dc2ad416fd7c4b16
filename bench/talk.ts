import { z } from 'zod'
import { type Part, startPart } from './child-process.ts'

const subject = z.object({ link: z.string(), terminal: z.string() })

/** The measured server: its link, and the name of its terminal. */
export type Subject = Part<z.infer<typeof subject>>

export const startSubject = (): Promise<Subject> =>
  startPart('server-under-test.ts', [], (message) => subject.parse(message))
