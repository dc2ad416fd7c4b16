import { expect, test } from 'vitest'
import { fitFont } from './fit-font.ts'

test('the font is limited by the tighter dimension of the box', () => {
  expect(fitFont({ width: 600, height: 300 }, 12, { width: 1200, height: 450 })).toBe(18)
  expect(fitFont({ width: 600, height: 300 }, 12, { width: 900, height: 6000 })).toBe(18)
})

test('the grid never exceeds the width of the box', () => {
  const screen = { width: 633, height: 281 }
  for (let width = 300; width < 2000; width += 7) {
    const font = fitFont(screen, 12, { width, height: 700 }) ?? 0
    expect((screen.width * font) / 12).toBeLessThanOrEqual(width)
  }
})

test('a box that changes by one pixel keeps the font size', () => {
  expect(fitFont({ width: 600, height: 300 }, 12, { width: 905, height: 900 })).toBe(
    fitFont({ width: 600, height: 300 }, 12, { width: 906, height: 900 }),
  )
})

test('the font size of an empty grid or box is undefined', () => {
  expect(fitFont({ width: 0, height: 0 }, 12, { width: 900, height: 400 })).toBeUndefined()
  expect(fitFont({ width: 600, height: 300 }, 12, { width: 0, height: 0 })).toBeUndefined()
})
