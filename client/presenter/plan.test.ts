import { expect, test } from 'vitest'
import { clock, drift, plan } from './plan.ts'

test('slides without a pace share the rest of the talk evenly', () => {
  expect(plan([60, undefined, undefined, 120], 300)).toEqual([60, 60, 60, 120])
  expect(plan([200, undefined], 100)).toEqual([200, 0])
})

test('the drift is zero within the time planned for the slide, and otherwise the distance to that time', () => {
  const planned = [60, 120, 60]
  expect(drift(planned, 2, 60)).toBe(0)
  expect(drift(planned, 2, 180)).toBe(0)
  expect(drift(planned, 2, 200)).toBe(20)
  expect(drift(planned, 3, 100)).toBe(-80)
})

test('seconds are formatted as minutes and seconds, without their sign', () => {
  expect(clock(65)).toBe('1:05')
  expect(clock(-5)).toBe('0:05')
})
