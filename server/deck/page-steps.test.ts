import { expect, test } from 'vitest'
import { stepsOfPage } from './page-steps.ts'

const step = (id: string) => `<UnderstudyStep id="${id}" hash="h-${id}" command="x">\n<pre>x</pre>\n</UnderstudyStep>`
const component = (template: string) =>
  `<template><div>${template}</div></template>\n<script setup>\nlet x = 1\n</script>`

test('the steps of a page are its components, also in elements and slots', () => {
  const page = component(
    `${step('a')}<ul><li>${step('b')}</li></ul><Layout><template v-slot:right>${step('c')}</template></Layout>`,
  )
  expect(stepsOfPage(page)).toEqual(['a', 'b', 'c'].map((id) => ({ id, hash: `h-${id}` })))
})

test.each([
  ['a comment', `<!-- ${step('a')} -->`],
  ['an element with v-pre', `<p v-pre>${step('a')}</p>`],
  ['a text field', `<textarea>${step('a')}</textarea>`],
])('a step in %s is not on the page', (_, template) => {
  expect(stepsOfPage(component(template))).toEqual([])
})
