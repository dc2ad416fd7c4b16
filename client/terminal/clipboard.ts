/**
 * Puts text on the clipboard.
 *
 * Pages that were loaded over plain HTTP from another machine have no asynchronous clipboard. They use the older
 * `execCommand`, which browsers allow while they handle a key or a click.
 *
 * @param html the same text with its colors, for programs that accept HTML
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
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only clipboard over plain HTTP
  document.execCommand('copy')
  document.removeEventListener('copy', fill, { capture: true })
}
