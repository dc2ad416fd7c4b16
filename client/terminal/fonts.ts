import './fonts.css'

/**
 * The CSS font family of terminals at an element: the deck's choice, or the font that the addon brings along.
 */
export function terminalFont(element: Element = document.documentElement): string {
  // Without quotes, which CSS does not require: they would end the style attribute of text that is copied as HTML.
  return getComputedStyle(element).getPropertyValue('--understudy-terminal-font').replaceAll(/['"]/g, '')
}

/**
 * Whether the deck has chosen a font for code. Slidev's default names only fonts of the system, which differ from
 * machine to machine.
 */
export function hasCodeFont(element: Element): boolean {
  const [first = ''] = getComputedStyle(element).getPropertyValue('--slidev-code-font-family').split(',')
  return !/^(ui-)?monospace$|^$/.test(first.trim())
}
