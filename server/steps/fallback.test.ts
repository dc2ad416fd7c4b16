import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { ReplayInfo } from '../../shared/protocol/state.ts'
import { headerLine } from '../../shared/recording/cast.ts'
import { readDeck } from '../deck/deck.ts'
import { LocalExecutor } from '../executor/local.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { Recordings } from '../recording/recordings.ts'
import { RecordingStore } from '../recording/store.ts'
import { Stage } from './stage.ts'

const WAIT = { timeout: 30_000, interval: 20 }

const slides = `---
steps:
  hangs: { timeout: 1s, fallback: [timeout] }
  slow: { timeout: 1s }
---

\`\`\`sh {step=hangs terminal=one}
sleep 4822
\`\`\`

\`\`\`sh {step=slow terminal=two}
sleep 4823
\`\`\`
`

test('a step that exceeds its timeout continues while its recording is shown, if its contract allows the fallback', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-fallback-'))
  await mkdir(join(folder, 'work'))
  await writeFile(join(folder, 'slides.md'), slides)
  const deck = await readDeck(join(folder, 'slides.md'))
  const store = new RecordingStore(join(folder, 'recordings'))
  for (const { id, command, hash } of deck.steps.values())
    await store.save(
      {
        step: id,
        command,
        hash,
        exit: 0,
        seconds: 1,
        date: '2026-11-23T10:00:00.000Z',
        profile: 'host',
        flake: '',
        captures: {},
      },
      `${headerLine({ version: 3, term: { cols: 80, rows: 24 } })}[0,"o","recorded"]\n`,
    )
  const recordings = new Recordings(join(folder, 'recordings'), 'host', async () => '')
  const executor = new LocalExecutor({
    cwd: join(folder, 'work'),
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
  const stage = new Stage({
    deck,
    profile: { name: 'host', env: {} },
    executor,
    resetWorkdir: async () => {},
    recordings,
  })
  const replays = new Map<string, ReplayInfo | undefined>()
  const timedOut: string[] = []
  stage.terminals.on('replay', (terminal, replay) => replays.set(terminal, replay))
  stage.on('late', (step) => timedOut.push(step))
  try {
    for (const { id, hash } of deck.steps.values()) await stage.run({ step: id, hash, inputs: {} })
    await vi.waitFor(() => expect(timedOut.sort()).toEqual(['hangs', 'slow']), WAIT)
    await vi.waitFor(
      () => expect(replays.get('one')).toMatchObject({ step: 'hangs', reason: { kind: 'timeout', seconds: 1 } }),
      WAIT,
    )
    expect(replays.has('two')).toBe(false)
    expect(stage.steps().map(({ status }) => status.state)).toEqual(['running', 'running'])
    stage.showLive('hangs')
    expect(replays.get('one')).toBeUndefined()
  } finally {
    await stage.end()
    await rm(folder, { recursive: true })
  }
})
