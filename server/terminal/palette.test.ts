import { afterEach, beforeEach, expect, test } from 'vitest'
import { Screen } from './screen.ts'

const written = (screen: Screen, text: string) => new Promise<void>((resolve) => screen.write(text, resolve))
/** The colors that a snapshot sets. */
const colorsOf = (screen: Screen) =>
  [...screen.snapshot(0).matchAll(/\u001b\](4;\d+|1[0-2]);(rgb:[^\u0007]*)\u0007/g)].map(
    ([, which, spec]) => `${which} ${spec}`,
  )

let screen: Screen
let late: Screen
beforeEach(async () => {
  screen = new Screen(20, 3, () => {})
  late = new Screen(20, 3, () => {})
  await written(
    screen,
    '\u001b]4;1;rgb:ff/80/00;200;#010203\u0007\u001b]10;#ffffff\u0007\u001b]11;rgb:00/00/40\u0007\u001b]4;3;?\u0007',
  )
})
afterEach(() => {
  screen.dispose()
  late.dispose()
})

test('a snapshot sets the colors that a program has changed', async () => {
  expect(colorsOf(screen)).toEqual(['4;1 rgb:ff/80/00', '4;200 rgb:01/02/03', '10 rgb:ff/ff/ff', '11 rgb:00/00/40'])
  await written(late, screen.snapshot(0))
  expect(colorsOf(late)).toEqual(colorsOf(screen))
})

test('a snapshot does not set the colors that a program has restored', async () => {
  await written(screen, '\u001b]104;1\u0007\u001b]110\u0007')
  expect(colorsOf(screen)).toEqual(['4;200 rgb:01/02/03', '11 rgb:00/00/40'])
  await written(screen, '\u001b]104\u0007')
  expect(colorsOf(screen)).toEqual(['11 rgb:00/00/40'])
})

test('a snapshot restores colors that are no longer changed', async () => {
  await written(late, screen.snapshot(0))
  await written(screen, '\u001b]104\u0007\u001b]110\u0007')
  await written(late, screen.snapshot(0))
  expect(colorsOf(late)).toEqual(['11 rgb:00/00/40'])
})
