// Client-side routing with the history API: links inside the app change the URL
// and the page without a request to the server.

/**
 * Calls `show` with the current path, now and whenever it changes.
 * @param {(path: string) => void} show
 */
export function startRouter(show) {
  const render = () => show(location.pathname)

  addEventListener('popstate', render)
  addEventListener('click', (event) => {
    const link = event.target instanceof Element && event.target.closest('a')
    if (!link || link.origin !== location.origin || opensElsewhere(event)) return
    event.preventDefault()
    history.pushState(null, '', link.href)
    render()
  })

  render()
}

// Whether the browser must handle a click: new tab, new window or download.
function opensElsewhere(event) {
  return event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey
}
