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
  if (!page) return { title: 'No such page', content: missing(path) }
  return { title: page.title, content: page.content() }
}

/**
 * The links to all pages; the current one is marked.
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
    element('h1', {}, 'Who is serving this?'),
    element('p', {}, 'The service module lets nginx answer /host.json with what it knows about itself.'),
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
    element('h1', {}, 'No such page'),
    element(
      'p',
      {},
      'The server gave out the shell for ',
      element('code', {}, path),
      ', as for every route. That there is no such page is for the app to say.',
    ),
  )
}
