import type { Benchmark } from './run-benchmarks.ts'
import { measureFrameRate } from './frame-rate.ts'
import { measureInterrupt } from './interrupt.ts'
import { measureKeyEcho } from './key-echo.ts'
import { measureManyViewers } from './many-viewers.ts'
import { measurePage } from './page.ts'
import { measureRendering } from './render.ts'
import { measureStalledViewers } from './stalled-viewers.ts'
import { measureStart } from './start.ts'
import { measureThroughput } from './throughput.ts'
import { measureWarmStart } from './warm-start.ts'

/** All benchmarks, in the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'throughput',
    needs: [],
    measure: (quick) => (quick ? measureThroughput(20e6, 1) : measureThroughput(100e6, 3)),
  },
  { name: 'echo', needs: [], measure: (quick) => measureKeyEcho(quick ? 300 : 2000) },
  { name: 'interrupt', needs: [], measure: (quick) => measureInterrupt(quick ? 3 : 15) },
  { name: 'stalled', needs: ['procfs'], measure: (quick) => measureStalledViewers(quick ? 3 : 6) },
  { name: 'viewers', needs: ['procfs'], measure: () => measureManyViewers() },
  { name: 'link', needs: ['lab'], measure: (quick) => measureStart(quick ? 2 : 10) },
  {
    name: 'start',
    needs: ['chromium', 'lab', 'procfs'],
    measure: (quick) => (quick ? measureWarmStart(1, 5) : measureWarmStart(5, 30)),
  },
  { name: 'page', needs: ['chromium', 'lab'], measure: (quick) => measurePage(quick ? 1 : 5) },
  { name: 'frames', needs: ['chromium', 'lab'], measure: (quick) => measureFrameRate(quick ? 3 : 10) },
  { name: 'render', needs: ['chromium', 'ffmpeg'], measure: measureRendering },
]
