import { expect, test } from 'vitest'
import { Screen } from './screen.ts'

const written = (screen: Screen, text: string) => new Promise<void>((done) => screen.write(text, done))
/** The colours that a snapshot sets. */
const colours = (screen: Screen) =>
  [...screen.snapshot(0).matchAll(/\u001b\](4;\d+|1[0-2]);(rgb:[^\u0007]*)\u0007/g)].map(
    ([, which, spec]) => `${which} ${spec}`,
  )

test('a viewer that comes late has the colours that a program has changed, and the theme’s again once it has restored them', async () => {
  const screen = new Screen(20, 3, () => {})
  await written(
    screen,
    '\u001b]4;1;rgb:ff/80/00;200;#010203\u0007\u001b]10;#ffffff\u0007\u001b]11;rgb:00/00/40\u0007\u001b]4;3;?\u0007',
  )
  expect(colours(screen)).toEqual(['4;1 rgb:ff/80/00', '4;200 rgb:01/02/03', '10 rgb:ff/ff/ff', '11 rgb:00/00/40'])
  // As a late viewer has it.
  const late = new Screen(20, 3, () => {})
  await written(late, screen.snapshot(0))
  expect(colours(late)).toEqual(colours(screen))

  await written(screen, '\u001b]104;1\u0007\u001b]110\u0007')
  expect(colours(screen)).toEqual(['4;200 rgb:01/02/03', '11 rgb:00/00/40'])
  await written(screen, '\u001b]104\u0007')
  expect(colours(screen)).toEqual(['11 rgb:00/00/40'])
  await written(late, screen.snapshot(0))
  expect(colours(late)).toEqual(['11 rgb:00/00/40'])
  screen.dispose()
  late.dispose()
})
