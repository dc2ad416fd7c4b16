/** The author's use of a step fence is wrong. The message says what and how to mend it; the caller adds where. */
export class FenceError extends Error {
  override name = 'FenceError'
}

export interface StepFence {
  step: string
  /** The terminal that the author named; otherwise the deck chooses (see deck.ts). */
  terminal?: string
}

/** Ids of steps and tasks, and names of terminals, travel in URLs, file names and HTML attributes. */
export const ID = /^[a-z0-9][a-z0-9-]{0,63}$/

/** The braces of a fence that have attributes in them. Slidev's own line ranges (`{1|2-3}`) and options have no `step=`. */
const ATTRIBUTES = /\{([^{}]*\bstep\b[^{}]*)\}/

const SHELLS = ['sh', 'bash', 'shell', 'console']

/**
 * Reads the words behind the backticks of a fence.
 *
 * @param info for example `sh {step=run-vm terminal=vm}`
 * @returns undefined where the fence is no step
 * @throws FenceError for a step fence with an unknown attribute, a bad id or a language that is no shell
 */
export function parseFence(info: string): StepFence | undefined {
  const braces = ATTRIBUTES.exec(info)
  if (!braces) return undefined

  const language = info.trim().split(/[\s{]/, 1)[0] ?? ''
  if (!SHELLS.includes(language))
    throw new FenceError(`a step is a shell command: write \`\`\`sh {step=…}, not \`\`\`${language || '(no language)'}`)

  const fence: Partial<StepFence> = {}
  for (const word of (braces[1] ?? '').trim().split(/[\s,]+/)) {
    const [key = '', value = ''] = word.split('=', 2)
    if (key !== 'step' && key !== 'terminal')
      throw new FenceError(
        `unknown attribute "${key}" in {${braces[1]}}: a step fence takes step=<id> and terminal=<name>`,
      )
    if (fence[key] !== undefined) throw new FenceError(`"${key}" stands twice in {${braces[1]}}`)
    if (!ID.test(value))
      throw new FenceError(
        `"${key}=${value}": must be lower-case letters, digits and dashes, at most 64, for example ${key}=run-vm`,
      )
    fence[key] = value
  }
  if (fence.step === undefined) throw new FenceError(`{${braces[1]}} names no step: write {step=<id>}`)
  return { step: fence.step, ...(fence.terminal !== undefined && { terminal: fence.terminal }) }
}

/** The command of a fence: what is typed into the shell, without the white space around it. */
export function commandOf(code: string): string {
  return code.replace(/\r\n/g, '\n').trim()
}
