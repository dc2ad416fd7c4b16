import { expect, test, vi } from 'vitest'
import type { Figure } from './figure.ts'
import { missingRequirement } from './requirements.ts'
import { type Benchmark, runBenchmarks } from './run-benchmarks.ts'

const FIGURE: Figure = { name: 'speed', value: 1, unit: 'MB/s' }
const WORKING: Benchmark = { name: 'working', needs: [], measure: async () => [FIGURE] }

test('a benchmark that fails is reported with its message, and the other results are kept', async () => {
  const failing: Benchmark = {
    name: 'failing',
    needs: [],
    measure: async () => {
      throw new Error('The server ended.')
    },
  }
  const reported = vi.fn()
  const outcomes = await runBenchmarks([WORKING, failing, { ...WORKING, name: 'last' }], {
    quick: true,
    onOutcome: reported,
  })
  expect(outcomes).toEqual([
    { benchmark: 'working', status: 'measured', figures: [FIGURE] },
    { benchmark: 'failing', status: 'failed', message: 'The server ended.' },
    { benchmark: 'last', status: 'measured', figures: [FIGURE] },
  ])
  expect(reported.mock.calls.flat()).toEqual(outcomes)
})

test('a benchmark whose requirement is missing is skipped, with the package to install, and does not start', async () => {
  const measure = vi.fn(WORKING.measure)
  vi.stubEnv('PATH', '/nonexistent')
  try {
    expect(await runBenchmarks([{ name: 'render', needs: ['ffmpeg'], measure }, WORKING], { quick: false })).toEqual([
      { benchmark: 'render', status: 'skipped', reason: 'ffmpeg is not installed (apt-get install ffmpeg)' },
      { benchmark: 'working', status: 'measured', figures: [FIGURE] },
    ])
  } finally {
    vi.unstubAllEnvs()
  }
  expect(measure).not.toHaveBeenCalled()
})

test('a requirement that is met gives no reason', async () => {
  expect(await missingRequirement('procfs')).toBeUndefined()
})
