import type { ITheme } from '@xterm/xterm'

/**
 * The terminal's colors. Each of the 16 is legible as text on the background (WCAG 2: 4.5 to 1), except black on dark,
 * which programs use to fill areas. xterm raises the contrast of all other colors to `CONTRAST`.
 */
export const dark = {
  background: '#0b1020',
  foreground: '#e6ebf5',
  cursor: '#7ebae4',
  cursorAccent: '#0b1020',
  selectionBackground: '#33557d',
  selectionInactiveBackground: '#2b4262',
  black: '#1c2541',
  red: '#ff7b7f',
  green: '#6fd08c',
  yellow: '#f2c063',
  blue: '#82b1ff',
  magenta: '#d9a0f5',
  cyan: '#5fd0dc',
  white: '#ccd4e3',
  brightBlack: '#8b97ad',
  brightRed: '#ffa3a5',
  brightGreen: '#9be8b0',
  brightYellow: '#ffd98f',
  brightBlue: '#aecbff',
  brightMagenta: '#e9c3fb',
  brightCyan: '#94e7ef',
  brightWhite: '#ffffff',
} as const satisfies ITheme

/** See `dark`. White is gray here, so that it is legible on a white slide. */
export const light = {
  background: '#fbfcfe',
  foreground: '#1b2333',
  cursor: '#3d6fb4',
  cursorAccent: '#fbfcfe',
  selectionBackground: '#b3cff2',
  selectionInactiveBackground: '#d0dff2',
  black: '#1b2333',
  red: '#b3261e',
  green: '#1d7a3c',
  yellow: '#8a6100',
  blue: '#2a5db0',
  magenta: '#8a3ba8',
  cyan: '#0b7285',
  white: '#5b6478',
  brightBlack: '#6b7280',
  brightRed: '#c62f27',
  brightGreen: '#1d7a3c',
  brightYellow: '#8a6100',
  brightBlue: '#2f6bd0',
  brightMagenta: '#9a47b8',
  brightCyan: '#0b7285',
  brightWhite: '#3b4458',
} as const satisfies ITheme

/** Minimum contrast of text. xterm adjusts the colors of programs that were chosen for the opposite background. */
export const CONTRAST = 4.5

/** Colors of search matches; the current match is the "active" one. */
export const searchColors = {
  dark: {
    matchBackground: '#5c4a12',
    activeMatchBackground: '#8f5300',
    matchOverviewRuler: '#f2c063',
    activeMatchColorOverviewRuler: '#ffffff',
  },
  light: {
    matchBackground: '#ffe9a8',
    activeMatchBackground: '#ffc552',
    matchOverviewRuler: '#8a6100',
    activeMatchColorOverviewRuler: '#1b2333',
  },
} as const
