import { commandsOfTranscript } from './console.ts'

/** A runnable fence: the step that its author has declared in braces. */
export interface StepFence {
  step: string
  /** The terminal that the author has named. If absent, the slide determines it (readSteps in server/deck/slide.ts). */
  terminal?: string
  language: string
  /** The info string without the braces of the step: what Slidev would see if the fence were not a step. */
  rest: string
}

/** A mistake in the attributes of a step's fence. `attributes` is the text between the braces. */
export type FenceIssue =
  | { kind: 'language'; language: string }
  | { kind: 'unknown-attribute'; name: string; attributes: string }
  | { kind: 'repeated-attribute'; name: 'step' | 'terminal'; attributes: string }
  | { kind: 'invalid-id'; name: 'step' | 'terminal'; value: string }
  | { kind: 'no-step'; attributes: string }
  | { kind: 'several-steps' }
  /** The fence is also an editor: `{monaco-run}`. */
  | { kind: 'editor'; name: string }

/** The parts of an info string that Slidev's code block uses. */
export interface CodeBlockInfo {
  language: string
  title: string
  /** The lines to highlight, by click. */
  ranges: string[]
  /** An object literal in braces, such as `{lines:true}`. */
  options?: string
  /** Passed on to the highlighter. */
  rest: string
}

/** Valid ids of steps and tasks and names of terminals: they appear in URLs, file names and HTML attributes. */
export const ID = /^[a-z0-9][a-z0-9-]{0,63}$/

/** A title, whose text may contain braces, or braces. */
const GROUP = /\[[^\]]*\]|\{([^{}]*)\}/g
const DECLARATION = /(^|[\s,])(step|terminal)\s*=/
/** Braces that were probably meant to declare a step. Only shell fences: `{step: 1}` may be an option of others. */
const ALMOST = /^\s*step\b/
/** The terminal of `<Terminal />` on a slide without steps: a shell that no step needs to use. */
export const SHELL_TERMINAL = 'shell'

const SHELLS = ['sh', 'bash', 'shell', 'console']

/**
 * Parses the info string of a fence.
 *
 * @param info the text after the backticks, such as `sh [Start] {step=run-vm terminal=vm} {1|2}`
 * @returns the step, the mistake in its attributes, or undefined if the fence does not declare a step
 */
export function parseFence(info: string): StepFence | { issue: FenceIssue } | undefined {
  const language = info.trim().split(/[\s{[]/, 1)[0] ?? ''
  const isShell = SHELLS.includes(language)
  const groups = [...info.matchAll(GROUP)].filter((group) => group[1] !== undefined)
  const declares = ([, text = '']: RegExpMatchArray) => DECLARATION.test(text) || (isShell && ALMOST.test(text))
  const [declaration, another] = groups.filter(declares)
  if (declaration === undefined) return undefined
  const [braces, attributes = ''] = declaration

  // Only a shell can have a terminal; other languages may use the word.
  if (!isShell && !/\bstep\s*=/.test(attributes)) return undefined
  if (!isShell) return { issue: { kind: 'language', language } }
  if (another) return { issue: { kind: 'several-steps' } }
  const editor = groups.find(([, text = '']) => text.startsWith('monaco'))?.[1]
  if (editor !== undefined) return { issue: { kind: 'editor', name: editor } }

  const fence: Partial<StepFence> = {}
  for (const word of attributes
    .trim()
    .replace(/\s*=\s*/g, '=')
    .split(/[\s,]+/)) {
    const [name = '', value = ''] = word.split('=', 2)
    if (name !== 'step' && name !== 'terminal') return { issue: { kind: 'unknown-attribute', name, attributes } }
    if (fence[name] !== undefined) return { issue: { kind: 'repeated-attribute', name, attributes } }
    if (!ID.test(value)) return { issue: { kind: 'invalid-id', name, value } }
    fence[name] = value
  }
  if (fence.step === undefined) return { issue: { kind: 'no-step', attributes } }
  const rest = `${info.slice(0, declaration.index).trimEnd()} ${info.slice(declaration.index + braces.length).trim()}`
  return {
    step: fence.step,
    ...(fence.terminal !== undefined && { terminal: fence.terminal }),
    language,
    rest: rest.trim(),
  }
}

/**
 * Parses an info string as Slidev's code block does, but with its braces in any order.
 *
 * @param info for example `sh [Start] {1|2-3} {lines:true}`
 */
export function parseCodeBlockInfo(info: string): CodeBlockInfo {
  const language = /^[\w'-]*/.exec(info.trim())?.[0] ?? ''
  const block: CodeBlockInfo = { language, title: '', ranges: [], rest: '' }
  let title: string | undefined
  let ranges: string | undefined
  const rest = info
    .trim()
    .slice(language.length)
    .replace(GROUP, (group, braces: string | undefined) => {
      if (braces === undefined) {
        if (title !== undefined) return group
        title = group.slice(1, -1)
      } else if (ranges === undefined && /^[\w,|\-*]+$/.test(braces)) ranges = braces
      else if (block.options === undefined) block.options = group
      else return group
      return ''
    })
  return {
    ...block,
    title: title ?? '',
    ranges: ranges?.split('|').map((range) => range.trim()) ?? [],
    rest: rest.trim(),
  }
}

/**
 * The command of a fence as it is typed into the shell: its contents without surrounding white space. The language
 * `console` is a transcript: the lines with a prompt are typed, and the output is not.
 */
export function commandOf(code: string, language: string): string {
  const text = code.replace(/\r\n/g, '\n')
  return (language === 'console' ? commandsOfTranscript(text) : text).trim()
}
