import { expect, test } from 'vitest'
import { addToManifest } from './manifest.ts'

const ADDITIONS = { scripts: { start: 'tool start', dev: 'tool dev' }, dependencies: { tool: '1.2.3' } }

test('scripts and the dependency are added; existing values, unknown keys and the format are kept', () => {
  const text =
    '{\r\n\t"name": "deck",\r\n\t"scripts": {\r\n\t\t"dev": "slidev"\r\n\t},\r\n\t"dependencies": {\r\n\t\t"vue": "3"\r\n\t},\r\n\t"other": {}\r\n}\r\n'
  expect(addToManifest(text, ADDITIONS)).toEqual({
    text: '{\r\n\t"name": "deck",\r\n\t"scripts": {\r\n\t\t"dev": "slidev",\r\n\t\t"start": "tool start"\r\n\t},\r\n\t"dependencies": {\r\n\t\t"tool": "1.2.3",\r\n\t\t"vue": "3"\r\n\t},\r\n\t"other": {}\r\n}\r\n',
    added: [
      { path: 'scripts.start', value: 'tool start' },
      { path: 'dependencies.tool', value: '1.2.3' },
    ],
    kept: [{ path: 'scripts.dev', value: 'slidev' }],
  })
})

test('a second time, nothing changes', () => {
  const once = addToManifest('{}\n', ADDITIONS)?.text ?? ''
  expect(addToManifest(once, ADDITIONS)).toEqual({ text: once, added: [], kept: [] })
})

test('the dependency is added beside Slidev if that is a development dependency', () => {
  const text = '{ "devDependencies": { "@slidev/cli": "^53.0.0" } }'
  expect(addToManifest(text, ADDITIONS)?.added).toContainEqual({ path: 'devDependencies.tool', value: '1.2.3' })
})

test('a dependency of any kind is kept as it is', () => {
  const text = '{ "devDependencies": { "tool": "0.1.0" }, "scripts": { "start": "tool start", "dev": "tool dev" } }'
  expect(addToManifest(text, ADDITIONS)).toEqual({ text, added: [], kept: [] })
})

test.each(['', '[]', '{ "scripts": 3 }', '{ // comment\n}'])('%j is not edited', (text) => {
  expect(addToManifest(text, ADDITIONS)).toBeUndefined()
})
