import { parseSync } from '@slidev/parser'
import { describe, expect, test } from 'vitest'
import { addAddon } from './headmatter.ts'

const ADDON = 'slidev-addon-understudy'

/** Decks, and the same decks with the addon. Everything else must stay as it is. */
const CASES: [name: string, before: string, after: string][] = [
  ['a deck without headmatter', '# Hi\n', `---\naddons:\n  - ${ADDON}\n---\n\n# Hi\n`],
  ['an empty headmatter', '---\n---\n\n# Hi\n', `---\naddons:\n  - ${ADDON}\n---\n\n# Hi\n`],
  ['only a comment', '---\n# todo\n---\n\n# Hi\n', `---\n# todo\naddons:\n  - ${ADDON}\n---\n\n# Hi\n`],
  [
    'other keys and comments',
    '---\ntheme:   seriph # mine\n\n# end\n---\n\n# Hi\n\n---\naddons: none\n---\n',
    `---\ntheme:   seriph # mine\n\n# end\naddons:\n  - ${ADDON}\n---\n\n# Hi\n\n---\naddons: none\n---\n`,
  ],
  ['a name', '---\naddons: a # one\n---\n', `---\naddons: [a, ${ADDON}] # one\n---\n`],
  ['a quoted name', `---\naddons: 'a'\n---\n`, `---\naddons: ['a', ${ADDON}]\n---\n`],
  ['no value', '---\naddons:\ntitle: x\n---\n', `---\naddons: [${ADDON}]\ntitle: x\n---\n`],
  ['an empty list', '---\naddons: [ ]\n---\n', `---\naddons: [${ADDON} ]\n---\n`],
  ['a flow list', '---\naddons: [a, "b"] # two\n---\n', `---\naddons: [a, "b", ${ADDON}] # two\n---\n`],
  [
    'a flow list on several lines',
    '---\naddons: [\n  a, # first\n  b # second\n]\n---\n',
    `---\naddons: [\n  a, # first\n  b, ${ADDON} # second\n]\n---\n`,
  ],
  [
    'a block list',
    '---\naddons:\n  - a\n  - b # second\ntitle: x\n---\n',
    `---\naddons:\n  - a\n  - b # second\n  - ${ADDON}\ntitle: x\n---\n`,
  ],
  ['a block list without indent', '---\naddons:\n- a\n---\n', `---\naddons:\n- a\n- ${ADDON}\n---\n`],
  ['CRLF', '---\r\naddons:\r\n  - a\r\n---\r\n', `---\r\naddons:\r\n  - a\r\n  - ${ADDON}\r\n---\r\n`],
  ['a byte order mark', '\uFEFF---\ntitle: x\n---\n', `\uFEFF---\ntitle: x\naddons:\n  - ${ADDON}\n---\n`],
  ['a yaml fence', '```yaml\ntitle: x\n```\n\n# Hi\n', `\`\`\`yaml\ntitle: x\naddons:\n  - ${ADDON}\n\`\`\`\n\n# Hi\n`],
]

describe.each(CASES)('in a deck with %s', (_, before, after) => {
  test('only the addon is added', () => {
    expect(addAddon(before, ADDON)).toBe(after)
  })

  test('a second time, nothing changes', () => {
    expect(addAddon(after, ADDON)).toBe(after)
  })

  test('Slidev reads the addon', () => {
    const [slide] = parseSync(after.replace(/^\uFEFF/, ''), 'slides.md').slides
    expect(slide?.frontmatter.addons).toContain(ADDON)
  })
})

test('the short name of the addon is recognized', () => {
  const text = '---\naddons: [understudy]\n---\n'
  expect(addAddon(text, ADDON)).toBe(text)
})

test.each([
  ['---\na: [\n---\n', 'invalid-yaml'],
  ['---\n{ title: x }\n---\n', 'unusual-form'],
  ['---\naddons: { a: b }\n---\n', 'unusual-form'],
  ['---\naddons: 3\n---\n', 'unusual-form'],
  ['---\n\n# Hi\n\n---\n', 'unusual-form'],
])('%j is left alone', (text, kind) => {
  expect(addAddon(text, ADDON)).toMatchObject({ kind })
})
