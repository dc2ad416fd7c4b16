import { expect, test } from 'vitest'
import { CONTRAST, dark, light, searchColors } from './themes.ts'

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** Contrast ratio, from 1 (equal colors) to 21 (black and white). */
function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

const COLORS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const
const palette = [
  ...COLORS,
  ...COLORS.map((name) => `bright${name[0]?.toUpperCase()}${name.slice(1)}` as `bright${Capitalize<typeof name>}`),
]

for (const [name, theme] of Object.entries({ dark, light })) {
  test(`${name}: each of the 16 colors is legible`, () => {
    for (const color of palette)
      if (!(name === 'dark' && color === 'black'))
        expect(contrast(theme[color], theme.background), color).toBeGreaterThanOrEqual(CONTRAST)
  })

  test(`${name}: selections and matches differ from the background, and their text is legible`, () => {
    const { matchBackground, activeMatchBackground } = searchColors[name as keyof typeof searchColors]
    for (const highlight of [
      theme.selectionBackground,
      theme.selectionInactiveBackground,
      matchBackground,
      activeMatchBackground,
    ]) {
      expect(contrast(highlight, theme.background), highlight).toBeGreaterThan(1.15)
      expect(contrast(theme.foreground, highlight), highlight).toBeGreaterThanOrEqual(CONTRAST)
    }
  })
}
