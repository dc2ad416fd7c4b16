/** Control characters but tab, newline and return, of ASCII and of Latin-1 (ECMA-48 has both; 0x9b is CSI too). */
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g

/**
 * What of a text that was copied elsewhere may be typed into a terminal. Without control characters it cannot end the bracketed paste
 * that it is typed as (by `ESC [ 201 ~`), and so cannot enter a line or press a key: xterm takes none of them out.
 */
export function pasteable(text: string): string {
  return text.replaceAll(CONTROLS, '')
}
