/**
 * Puts text on the clipboard, and beside it the same with its colours for programs that take HTML.
 *
 * A page that came over plain HTTP from another machine has no asynchronous clipboard; there the older way is taken, which browsers
 * allow while a key or a click is being handled.
 */
export async function copy(text: string, html?: string): Promise<void> {
  if (typeof navigator.clipboard !== 'undefined') {
    if (html === undefined) return navigator.clipboard.writeText(text)
    const blobs = {
      'text/plain': new Blob([text], { type: 'text/plain' }),
      'text/html': new Blob([html], { type: 'text/html' }),
    }
    return navigator.clipboard.write([new ClipboardItem(blobs)])
  }
  const fill = (event: ClipboardEvent) => {
    event.preventDefault()
    event.stopImmediatePropagation()
    event.clipboardData?.setData('text/plain', text)
    if (html !== undefined) event.clipboardData?.setData('text/html', html)
  }
  document.addEventListener('copy', fill, { capture: true })
  document.execCommand('copy')
  document.removeEventListener('copy', fill, { capture: true })
}
