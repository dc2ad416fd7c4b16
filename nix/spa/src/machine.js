// The facts about the serving machine, as nixos/services/spa.nix gives them.
import { element } from './element.js'

const labels = { host: 'Host', system: 'System', server: 'Server', time: 'Its clock' }

/**
 * A list that fills itself once the server has answered.
 * @returns {HTMLElement}
 */
export function machineFacts() {
  const list = element('dl', { 'aria-busy': 'true' })
  fetchFacts()
    .then((facts) => list.replaceChildren(...rows(facts)))
    .catch((error) => list.replaceChildren(element('dd', {}, `The server does not say: ${error.message}`)))
    .finally(() => list.removeAttribute('aria-busy'))
  return list
}

async function fetchFacts() {
  const response = await fetch('/host.json')
  if (!response.ok) throw new Error(`/host.json answered ${response.status}`)
  return response.json()
}

function* rows(facts) {
  for (const [name, label] of Object.entries(labels)) {
    if (!(name in facts)) continue
    yield element('dt', {}, label)
    yield element('dd', { 'data-fact': name }, String(facts[name]))
  }
}
