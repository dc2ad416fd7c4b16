import { expect, test } from 'vitest'
import { soak } from '../../bench/soak-run.ts'

test('a flood with viewers that come, stall and go does not fill the memory', async () => {
  const { gigabytes, first, last } = await soak(6)
  expect(gigabytes).toBeGreaterThan(0)
  // In MiB: the heap still finds its size within seconds. What is kept of every byte would be far above it.
  expect(last - first).toBeLessThan(200)
})
