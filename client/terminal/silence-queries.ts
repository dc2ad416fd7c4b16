import type { IParser } from '@xterm/xterm'

/**
 * Keeps a viewer's terminal from answering queries. The screen on the server answers each query of a program once;
 * the program would receive the answers of all windows as additional input.
 */
export function silenceQueries(parser: IParser): void {
  // Device attributes (primary, secondary, tertiary), status and cursor position, modes, window reports (xterm's
  // ctlseqs).
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
  // Colors: a question mark queries them, any other value sets them.
  for (const code of [4, 10, 11, 12]) parser.registerOscHandler(code, (data) => data.includes('?'))
  // Programs may neither read nor write the presenter's clipboard.
  parser.registerOscHandler(52, () => true)
}
