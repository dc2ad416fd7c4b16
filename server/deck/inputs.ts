import { shellQuote } from '../lib/shell-quote.ts'
import { similarName } from './similar-name.ts'
import type { Step } from './step.ts'

/** `{{name}}` in a command. Only the names that the contract declares are inputs; other braces belong to the command. */
const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g

/** The names in double braces in a command, in order. */
export function placeholders(command: string): string[] {
  return [...command.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '')
}

/**
 * Finds names in double braces that are probably misspelled inputs.
 *
 * @param declared the names of the step's inputs
 */
export function misspelledInputs(command: string, declared: readonly string[]): { written: string; input: string }[] {
  return [...new Set(placeholders(command))].flatMap((written) => {
    if (declared.includes(written) || !/^[A-Za-z][\w-]*$/.test(written)) return []
    const input = similarName(written, declared)
    return input === undefined ? [] : [{ written, input }]
  })
}

/** Thrown for a missing or invalid value of an input. The message contains the label of the field and an example. */
export class InputError extends Error {
  override name = 'InputError'
}

/**
 * Replaces each `{{name}}` of an input in the command of a step with the value of that input, quoted for the shell.
 *
 * @throws InputError if a value is missing, unknown or does not match its pattern
 */
export function fillIn(step: Step, values: Record<string, string>): string {
  const { inputs } = step.contract
  for (const name of Object.keys(values))
    if (!Object.hasOwn(inputs, name)) throw new InputError(`Step "${step.id}" has no input "${name}".`)
  return step.command.replace(PLACEHOLDER, (text, name: string) => {
    const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined
    if (!input) return text
    const value = values[name]?.trim() ?? ''
    if (value === '') throw new InputError(`Fill in "${input.label}" first.`)
    // The shell would interpret a control character as a key, not as part of the value.
    if (/[\u0000-\u001f\u007f]/.test(value) || !new RegExp(`^(?:${input.pattern})$`).test(value))
      throw new InputError(
        `Invalid value "${value}" for "${input.label}"${input.placeholder ? `. Example: ${input.placeholder}` : ''}.`,
      )
    return shellQuote(value)
  })
}
