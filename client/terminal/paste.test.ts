import { expect, test } from 'vitest'
import { pasteable } from './paste.ts'

test('control characters are removed from a paste', () => {
  for (const end of ['\u001b[201~', '\u009b201~', '\u0003', '\u0004', '\u001a', '\u007f', '\b', '\u0000'])
    expect(pasteable(`echo a${end}`)).toMatch(/^echo a(\[?201~)?$/)
})

test('line breaks, tabs and text in all scripts are kept', () => {
  const text = 'if true; then\r\n\techo "naïve 漢字 👩‍🚀 \u00a0 e\u0301"\nfi\n'
  expect(pasteable(text)).toBe(text)
})
