import { expect, test } from 'vitest'
import { runSoak } from '../../bench/soak-run.ts'

test('server memory stays bounded during endless output while viewers attach, stall and leave', async () => {
  const { gigabytes, firstMebibytes, lastMebibytes } = await runSoak(6)
  expect(gigabytes).toBeGreaterThan(0)
  // Within seconds the heap is still growing to its size; keeping every byte would exceed this by far.
  expect(lastMebibytes - firstMebibytes).toBeLessThan(200)
})
