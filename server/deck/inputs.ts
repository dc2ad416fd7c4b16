import { shellQuote } from '../lib/shell-quote.ts'
import type { Step } from './step.ts'

/** `{{name}}` in a command. */
const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g

/** The names of the inputs that a command uses, in order. */
export function placeholders(command: string): string[] {
  return [...command.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '')
}

/** Thrown for a missing or invalid value of an input. The message contains the label of the field and an example. */
export class InputError extends Error {
  override name = 'InputError'
}

/**
 * Replaces each `{{name}}` in the command of a step with the value of that input, quoted for the shell.
 *
 * @throws InputError if a value is missing, unknown or does not match its pattern
 */
export function fillIn(step: Step, values: Record<string, string>): string {
  for (const name of Object.keys(values)) if (!(name in step.contract.inputs)) throw unknownInput(step, name)
  return step.command.replace(PLACEHOLDER, (_, name: string) => {
    const input = step.contract.inputs[name]
    const value = values[name]?.trim() ?? ''
    if (!input) throw unknownInput(step, name)
    if (value === '') throw new InputError(`Fill in "${input.label}" first.`)
    // The shell would interpret a control character as a key, not as part of the value.
    if (/[\u0000-\u001f\u007f]/.test(value) || !new RegExp(`^(?:${input.pattern})$`).test(value))
      throw new InputError(
        `Invalid value "${value}" for "${input.label}"${input.placeholder ? `. Example: ${input.placeholder}` : ''}.`,
      )
    return shellQuote(value)
  })
}

function unknownInput(step: Step, name: string): InputError {
  return new InputError(`Step "${step.id}" has no input "${name}".`)
}
