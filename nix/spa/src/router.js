// Client-side routes on the history API: a link inside the app changes the
// address and the page without asking the server.

/**
 * Calls `show` with the path of the address, now and whenever it changes.
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

// A click that is the browser's business: new tab, new window, download.
function opensElsewhere(event) {
  return event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey
}
