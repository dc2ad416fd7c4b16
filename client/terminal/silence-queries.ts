import type { IParser } from '@xterm/xterm'

/**
 * Makes a viewer's terminal silent: the screen on the server answers a program's questions, once. A second answer, of every window, would be
 * typed into the program.
 */
export function silence(parser: IParser): void {
  // Device attributes (primary, secondary, tertiary), status and cursor position, modes, window reports (xterm's ctlseqs).
  for (const id of [
    { final: 'c' },
    { prefix: '>', final: 'c' },
    { prefix: '=', final: 'c' },
    { final: 'n' },
    { prefix: '?', final: 'n' },
    { intermediates: '$', final: 'p' },
    { prefix: '?', intermediates: '$', final: 'p' },
    { prefix: '>', final: 'q' },
    { final: 't' },
  ])
    parser.registerCsiHandler(id, () => true)
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, () => true)
  // Colours: asked for by a question mark, set by anything else.
  for (const code of [4, 10, 11, 12]) parser.registerOscHandler(code, (data) => data.includes('?'))
  // No program reads or writes the speaker's clipboard.
  parser.registerOscHandler(52, () => true)
}
