// The pages of the app, one per route.
import { element } from './element.js'
import { machineFacts } from './machine.js'

const pages = {
  '/': { label: 'Welcome', title: 'The app', content: welcome },
  '/machine': { label: 'This machine', title: 'This machine', content: machine },
  '/delivery': { label: 'Ways to ship it', title: 'Ways to ship it', content: delivery },
}

/**
 * @param {string} path
 * @returns {{ title: string, content: HTMLElement }}
 */
export function pageFor(path) {
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined
  if (!page) return { title: 'Page not found', content: missing(path) }
  return { title: page.title, content: page.content() }
}

/**
 * Creates the links to all pages and marks the current one.
 * @param {string} current
 * @returns {HTMLElement}
 */
export function navigation(current) {
  const links = Object.entries(pages).map(([path, { label }]) =>
    element('a', path === current ? { href: path, 'aria-current': 'page' } : { href: path }, label),
  )
  return element('nav', {}, ...links)
}

function welcome() {
  return element(
    'main',
    {},
    element('h1', {}, 'It works.'),
    element(
      'p',
      { class: 'lead' },
      'A single-page application, packaged by Nix, served by nginx, on a machine that one file describes.',
    ),
    machineFacts(),
  )
}

function machine() {
  return element(
    'main',
    {},
    element('h1', {}, 'Which machine is this?'),
    element('p', {}, 'nginx serves these facts about itself as /host.json.'),
    machineFacts(),
  )
}

function delivery() {
  const targets = [
    ['A local VM', 'nix run .#run-vm'],
    ['A test', 'nix flake check'],
    ['An image for Amazon EC2', 'nix build .#spa-ami'],
    ['An image for VMware', 'nixos-rebuild build-image --image-variant vmware'],
    ['A server somewhere', 'nixos-anywhere --flake .#spa-hetzner'],
  ]
  const items = targets.map(([name, command]) =>
    element('li', {}, element('strong', {}, name), element('code', {}, command)),
  )
  return element(
    'main',
    {},
    element('h1', {}, 'One configuration, many machines'),
    element('ul', { class: 'targets' }, ...items),
  )
}

function missing(path) {
  return element(
    'main',
    {},
    element('h1', {}, 'Page not found'),
    element(
      'p',
      {},
      'The app has no page for ',
      element('code', {}, path),
      '. The server returns the same shell for every route, so the app reports this.',
    ),
  )
}
