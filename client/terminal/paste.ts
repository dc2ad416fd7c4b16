/**
 * All control characters of ASCII and Latin-1 except tab, line feed and carriage return (ECMA-48; 0x9b is also CSI).
 */
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g

/**
 * Removes the control characters from a text that is pasted into a terminal, because xterm does not. Without them the
 * text cannot end its bracketed paste (with `ESC [ 201 ~`), and therefore can neither submit a line nor press a key.
 */
export function pasteable(text: string): string {
  return text.replaceAll(CONTROLS, '')
}
