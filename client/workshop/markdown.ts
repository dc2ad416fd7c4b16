import MarkdownIt from 'markdown-it'

const markdown = new MarkdownIt({ linkify: false })

/** A fence of shell is a command: it can be put into the terminal. */
markdown.renderer.rules.fence = (tokens, index) => {
  const { content = '', info = '' } = tokens[index] ?? {}
  const code = `<pre><code>${markdown.utils.escapeHtml(content)}</code></pre>`
  return /^(sh|bash|console)\b/.test(info.trim())
    ? `<div class="command">${code}<button type="button" class="ws" data-command="${markdown.utils.escapeHtml(content.trim())}">Put into the terminal</button></div>`
    : code
}
// What a task links to is elsewhere: the course stays where it is.
markdown.renderer.rules.link_open = (tokens, index, options, _, self) => {
  tokens[index]?.attrSet('target', '_blank')
  tokens[index]?.attrSet('rel', 'noopener noreferrer')
  return self.renderToken(tokens, index, options)
}

/** HTML of a task's Markdown. HTML in it is shown as text. */
export function render(text: string): string {
  return markdown.render(text)
}
