import { parseTimeString } from '@slidev/parser/utils'
import { expect, test } from 'vitest'
import { parseTime } from './time.ts'

const TIMES = [
  ...['', ' ', '0', '10', '90.5', '-5', '+10', '+', 'Infinity', '1e3', '0x10', '1_000'],
  ...['10s', '5m', '3min', '3mins 5secs', '10.5m3s', '+10s', '1h10m30s', '1h4s', '2 hours', '2hours', '1H', '1hr2MIN'],
  ...['1day', '2days', '1week', '1month', '1year', '3years 2weeks'],
  ...['1:1:1', '10:50.1', '1:30', '01:30:00', ':30', '1:', ':', '1::2', '1:2:3:4', '-1:30', 'a:b', '1:30s'],
  ...['soon', '10 apples', '10x', '1.2.3s', '.s', 's10', '10s!', '1h-5m'],
]

test.each([...TIMES, 0, 90, -1, 1.5].map((text) => [text]))('%j is read as Slidev reads it', (text) => {
  let expected: number | undefined
  try {
    expected = parseTimeString(text).seconds
  } catch {
    expected = undefined
  }
  expect(parseTime(text)).toBe(expected)
})
