// Shows facts about the serving machine: /host.json, defined in nixos/services/spa.nix.
import { element } from './element.js'

const labels = { host: 'Host', system: 'System', server: 'Server', time: 'Server time' }

/**
 * Creates a list that is filled when the server responds.
 * @returns {HTMLElement}
 */
export function machineFacts() {
  const list = element('dl', { 'aria-busy': 'true' })
  fetchFacts()
    .then((facts) => list.replaceChildren(...rows(facts)))
    .catch((error) => list.replaceChildren(element('dd', {}, `Not available: ${error.message}`)))
    .finally(() => list.removeAttribute('aria-busy'))
  return list
}

async function fetchFacts() {
  const response = await fetch('/host.json')
  if (!response.ok) throw new Error(`/host.json returned status ${response.status}`)
  return response.json()
}

function* rows(facts) {
  for (const [name, label] of Object.entries(labels)) {
    if (!(name in facts)) continue
    yield element('dt', {}, label)
    yield element('dd', { 'data-fact': name }, String(facts[name]))
  }
}
