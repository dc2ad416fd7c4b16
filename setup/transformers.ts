import type { CodeblockTransformer, TransformersSetup } from '@slidev/types'
import { hashCommand } from '../server/deck/command-hash.ts'
import { describeFenceIssue } from '../shared/failures/deck-problem.ts'
import { commandOf, parseCodeBlockInfo, parseFence } from '../shared/deck/fence.ts'

/**
 * Turns the fence of a step into the component that runs it (client/steps/Step.vue), around the code block that Slidev
 * shows for any other fence.
 */
const stepFence: CodeblockTransformer = async ({ info, code, renderHighlighted }) => {
  const fence = parseFence(info)
  if (!fence) return undefined
  if ('issue' in fence) throw new Error(describeFenceIssue(fence.issue))
  const { language, title, ranges, options, rest } = parseCodeBlockInfo(fence.rest)
  const highlighted = await renderHighlighted({ info: `${language} ${rest}` })
  // Braces belong to the command; Vue would evaluate them as an expression.
  const shown = highlighted.replaceAll('{{', '&lbrace;&lbrace;')
  const command = commandOf(code, fence.language)
  const attributes = [
    `id="${fence.step}"`,
    `hash="${hashCommand(command)}"`,
    `command="${encodeURIComponent(command).replaceAll("'", '%27')}"`,
    ...(title === '' ? [] : [`title="${escapeAttribute(title)}"`]),
  ]
  // As Slidev's own transformer of code blocks writes it.
  const block = [
    ...(options === undefined ? [] : [`v-bind="${escapeAttribute(options)}"`]),
    `title="${escapeAttribute(title)}"`,
    `:ranges="${escapeAttribute(JSON.stringify(ranges))}"`,
  ]
  return `<UnderstudyStep ${attributes.join(' ')}>\n\n<CodeBlockWrapper ${block.join(' ')}>${shown}</CodeBlockWrapper>\n\n</UnderstudyStep>`
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
}

export default (() => ({ codeblocks: [stepFence] })) satisfies TransformersSetup
