// Starts the app: shows the page of the current route inside #root.
import { startRouter } from './router.js'
import { pageFor, navigation } from './pages.js'

const root = document.querySelector('#root')
if (!root) throw new Error('The shell has no element with the id "root".')

startRouter((path) => {
  const page = pageFor(path)
  document.title = page.title
  root.replaceChildren(navigation(path), page.content)
})
