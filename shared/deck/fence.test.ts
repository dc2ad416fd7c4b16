import { describe, expect, test } from 'vitest'
import { commandOf, parseCodeBlockInfo, parseFence } from './fence.ts'

describe('parseFence', () => {
  test.each([
    ['sh {step=a}', 'sh'],
    ['sh {2|3} {step=a}', 'sh {2|3}'],
    ['sh {step=a} {2|3}', 'sh {2|3}'],
    ['sh [title.sh] {step=a} {2|3} {lines:true}', 'sh [title.sh] {2|3} {lines:true}'],
    ['sh {maxHeight:"100px"} {step=a}', 'sh {maxHeight:"100px"}'],
    ['sh [a {step=title}] {step=a}', 'sh [a {step=title}]'],
    ['sh{step=a}', 'sh'],
    ['bash { step = a }', 'bash'],
  ])('finds the step in %s, and leaves the rest to Slidev', (info, rest) => {
    expect(parseFence(info)).toMatchObject({ step: 'a', rest })
  })

  test('finds the terminal', () => {
    expect(parseFence('sh {1} {step=a, terminal=left}')).toMatchObject({ step: 'a', terminal: 'left', rest: 'sh {1}' })
  })

  test.each([
    'sh',
    'sh {1|2}',
    'js {step:1}',
    'ts {steps:3}',
    'js {terminal=x}',
    'sh [step=a]',
    'md magic-move {at:1}',
    '',
  ])('ignores the fence ```%s', (info) => expect(parseFence(info)).toBeUndefined())

  test.each([
    ['js {step=a}', 'language'],
    ['sh {step=a color=red}', 'unknown-attribute'],
    ['sh {step=a step=b}', 'repeated-attribute'],
    ['sh {step=A}', 'invalid-id'],
    ['sh {step}', 'invalid-id'],
    ['sh {step: a}', 'unknown-attribute'],
    ['sh {terminal=x}', 'no-step'],
    ['sh {step=a} {step=b}', 'several-steps'],
    ['sh {monaco} {step=a}', 'editor'],
  ])('reports the mistake in ```%s', (info, kind) => {
    expect(parseFence(info)).toMatchObject({ issue: { kind } })
  })
})

describe('parseCodeBlockInfo', () => {
  test('returns what Slidev reads from an info string', () => {
    expect(parseCodeBlockInfo('sh [a title] {1|2-3} {lines:true,maxHeight:"5em"} extra')).toEqual({
      language: 'sh',
      title: 'a title',
      ranges: ['1', '2-3'],
      options: '{lines:true,maxHeight:"5em"}',
      rest: 'extra',
    })
  })

  test('accepts braces in any order', () => {
    expect(parseCodeBlockInfo('sh {lines:true} {*|2}')).toMatchObject({ ranges: ['*', '2'], options: '{lines:true}' })
  })
})

test('commandOf keeps a command without prompts, in any language', () => {
  for (const language of ['sh', 'console'])
    expect(commandOf('\n# why\r\nls \\\r\n  /\n', language)).toBe('# why\nls \\\n  /')
})
