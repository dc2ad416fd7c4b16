import { expect, test } from 'vitest'
import { CONTRAST, dark, found, light } from './themes.ts'

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** From 1 (the same) to 21 (black and white). */
function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const
const palette = [
  ...COLOURS,
  ...COLOURS.map((name) => `bright${name[0]?.toUpperCase()}${name.slice(1)}` as `bright${Capitalize<typeof name>}`),
]

for (const [name, theme] of Object.entries({ dark, light })) {
  test(`${name}: each of the 16 colours is legible`, () => {
    for (const colour of palette)
      if (!(name === 'dark' && colour === 'black'))
        expect(contrast(theme[colour], theme.background), colour).toBeGreaterThanOrEqual(CONTRAST)
  })

  test(`${name}: what is selected or found is told apart, and its text is legible`, () => {
    const { matchBackground, activeMatchBackground } = found[name as keyof typeof found]
    for (const behind of [
      theme.selectionBackground,
      theme.selectionInactiveBackground,
      matchBackground,
      activeMatchBackground,
    ]) {
      expect(contrast(behind, theme.background), behind).toBeGreaterThan(1.15)
      expect(contrast(theme.foreground, behind), behind).toBeGreaterThanOrEqual(CONTRAST)
    }
  })
}
