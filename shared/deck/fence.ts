/** A runnable fence: the step that its author has declared in braces. */
export interface StepFence {
  step: string
  /** The terminal that the author has named. If absent, the slide determines it (readSteps in server/deck/slide.ts). */
  terminal?: string
}

/** A mistake in the attributes of a step's fence. `attributes` is the text between the braces. */
export type FenceIssue =
  | { kind: 'language'; language: string }
  | { kind: 'unknown-attribute'; name: string; attributes: string }
  | { kind: 'repeated-attribute'; name: 'step' | 'terminal'; attributes: string }
  | { kind: 'invalid-id'; name: 'step' | 'terminal'; value: string }
  | { kind: 'no-step'; attributes: string }

/** Valid ids of steps and tasks and names of terminals: they appear in URLs, file names and HTML attributes. */
export const ID = /^[a-z0-9][a-z0-9-]{0,63}$/

/** The braces that declare a step. Slidev's own line ranges (`{1|2-3}`) and options do not contain `step`. */
const ATTRIBUTES = /\{([^{}]*\bstep\b[^{}]*)\}/

const SHELLS = ['sh', 'bash', 'shell', 'console']

/**
 * Parses the info string of a fence.
 *
 * @param info the text after the backticks, such as `sh {step=run-vm terminal=vm}`
 * @returns the step, the mistake in its attributes, or undefined if the fence does not declare a step
 */
export function parseFence(info: string): StepFence | { issue: FenceIssue } | undefined {
  const attributes = ATTRIBUTES.exec(info)?.[1]
  if (attributes === undefined) return undefined

  const language = info.trim().split(/[\s{]/, 1)[0] ?? ''
  if (!SHELLS.includes(language)) return { issue: { kind: 'language', language } }

  const fence: Partial<StepFence> = {}
  for (const word of attributes.trim().split(/[\s,]+/)) {
    const [name = '', value = ''] = word.split('=', 2)
    if (name !== 'step' && name !== 'terminal') return { issue: { kind: 'unknown-attribute', name, attributes } }
    if (fence[name] !== undefined) return { issue: { kind: 'repeated-attribute', name, attributes } }
    if (!ID.test(value)) return { issue: { kind: 'invalid-id', name, value } }
    fence[name] = value
  }
  if (fence.step === undefined) return { issue: { kind: 'no-step', attributes } }
  return { step: fence.step, ...(fence.terminal !== undefined && { terminal: fence.terminal }) }
}

/** The command of a fence as it is typed into the shell: its contents without surrounding white space. */
export function commandOf(code: string): string {
  return code.replace(/\r\n/g, '\n').trim()
}
