import xterm from '@xterm/headless'
import { expect, test } from 'vitest'
import { cssColor, snapshotOf } from './snapshot.ts'
import { dark } from './themes.ts'

async function screen(text: string) {
  const terminal = new xterm.Terminal({ cols: 12, rows: 3, allowProposedApi: true })
  await new Promise<void>((resolve) => terminal.write(text, resolve))
  return snapshotOf(terminal)
}

test('a snapshot contains the lines of the screen without the scrollback', async () => {
  const snapshot = await screen('one\r\ntwo\r\nthree\r\nfour')
  expect(
    snapshot?.lines.map((runs) =>
      runs
        .map(({ text }) => text)
        .join('')
        .trimEnd(),
    ),
  ).toEqual(['two', 'three', 'four'])
})

test('neighboring cells with the same style form one run, and wide characters keep their column', async () => {
  const snapshot = await screen('a\x1b[1;32mok\x1b[0m 漢\x1b[7m!\x1b[0m\x1b[38;2;1;2;3m.\x1b[0m\x1b[8mhid')
  expect(snapshot?.lines[0]?.slice(0, 6)).toEqual([
    { text: 'a' },
    { text: 'ok', foreground: 2, bold: true },
    { text: ' 漢' },
    { text: '!', foreground: 'background', background: 'foreground' },
    { text: '.', foreground: '#010203' },
    { text: '    ' },
  ])
})

test('an empty screen has no snapshot', async () => expect(await screen('\x1b[31m  \r\n')).toBeUndefined())

test('the 256 colors match those of xterm', () => {
  expect(
    [1, 9, 16, 21, 196, 231, 232, 255, '#0a0b0c' as const, 'foreground' as const].map((value) => cssColor(value, dark)),
  ).toEqual([
    dark.red,
    dark.brightRed,
    'rgb(0 0 0)',
    'rgb(0 0 255)',
    'rgb(255 0 0)',
    'rgb(255 255 255)',
    'rgb(8 8 8)',
    'rgb(238 238 238)',
    '#0a0b0c',
    dark.foreground,
  ])
})
