import { expect, test } from 'vitest'
import { runSoak } from '../../bench/soak-run.ts'

test('server memory remains bounded during endless output while viewers attach, stall and leave', async () => {
  const { gigabytes, firstMebibytes, lastMebibytes } = await runSoak(6)
  expect(gigabytes).toBeGreaterThan(0)
  // The heap still grows during the first seconds. A server that kept all output would exceed the limit by far.
  expect(lastMebibytes - firstMebibytes).toBeLessThan(200)
})
