import type { CodeblockTransformer, TransformersSetup } from '@slidev/types'
import { hashCommand } from '../server/deck/command-hash.ts'
import { describeFenceIssue } from '../server/deck/problems.ts'
import { commandOf, parseFence } from '../shared/deck/fence.ts'

/** Turns the fence of a step into the component that runs it (client/steps/Step.vue). */
const stepFence: CodeblockTransformer = async ({ info, code, renderHighlighted }) => {
  const fence = parseFence(info)
  if (!fence) return undefined
  if ('issue' in fence) throw new Error(describeFenceIssue(fence.issue))
  // Rendered as plain shell: Slidev would read the braces of a step as line numbers.
  const highlighted = await renderHighlighted({ info: 'sh' })
  // {{name}} marks an input of the step; Vue would evaluate it as an expression.
  const shown = highlighted.replaceAll('{{', '&lbrace;&lbrace;')
  const attributes = [
    `id="${fence.step}"`,
    `hash="${hashCommand(code)}"`,
    `command="${encodeURIComponent(commandOf(code)).replaceAll("'", '%27')}"`,
  ]
  return `<UnderstudyStep ${attributes.join(' ')}>\n\n${shown}\n\n</UnderstudyStep>`
}

export default (() => ({ codeblocks: [stepFence] })) satisfies TransformersSetup
