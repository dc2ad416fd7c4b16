import MarkdownExit from 'markdown-exit'

const markdown = new MarkdownExit({ linkify: false })

// A shell fence gets a button that inserts it into the terminal.
markdown.renderer.rules.fence = (tokens, index) => {
  const { content = '', info = '' } = tokens[index] ?? {}
  const code = `<pre><code>${markdown.utils.escapeHtml(content)}</code></pre>`
  return /^(sh|bash|console)\b/.test(info.trim())
    ? `<div class="command">${code}<button type="button" class="ws" data-command="${markdown.utils.escapeHtml(content.trim())}">Insert into terminal</button></div>`
    : code
}
// Links open in a new tab, so that the workshop stays open.
markdown.renderer.rules.link_open = (tokens, index, options, _, self) => {
  tokens[index]?.attrSet('target', '_blank')
  tokens[index]?.attrSet('rel', 'noopener noreferrer')
  return self.renderToken(tokens, index, options)
}

/** Renders a task's Markdown as HTML. HTML in the source is escaped. */
export function render(text: string): string {
  return markdown.render(text)
}
