import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashCommand } from '../deck/command-hash.ts'
import { diagnosis, type Diagnosis } from '../../shared/diagnosis.ts'
import { headerLine } from '../../shared/recording/cast.ts'
import { RecordingStore } from '../recording/store.ts'
import { fingerprint } from '../environment/workdir.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-doctor-'))
})
afterEach(() => rm(folder, { recursive: true }))

const slides = `---
steps:
  lacks: { needs: { programs: [no-such-program] } }
---

\`\`\`sh {step=runs}
true
\`\`\`

\`\`\`sh {step=lacks}
no-such-program
\`\`\`
`

/** Runs the command `doctor` for the deck. */
async function runDoctor(): Promise<{ report: Diagnosis; exit: number | undefined }> {
  await writeFile(join(folder, 'slides.md'), slides)
  const command = [
    join(import.meta.dirname, '../../bin/understudy.js'),
    'doctor',
    join(folder, 'slides.md'),
    '--json',
    '--port',
    '43999',
  ]
  const { stdout, exitCode, stderr } = await execa(process.execPath, command, {
    reject: false,
    env: { UNDERSTUDY_CACHE: join(folder, 'cache') },
  })
  if (stdout === '') throw new Error(stderr)
  return { report: diagnosis.parse(JSON.parse(stdout)), exit: exitCode }
}

test('the talk is not ready if a step can neither run nor be replayed', { timeout: 60_000 }, async () => {
  const { report, exit } = await runDoctor()
  expect(exit).toBe(1)
  expect(report).toMatchObject({ profile: 'host', ready: false })
  expect(report.steps.map(({ step, can }) => [step, can])).toEqual([
    ['runs', 'run'],
    ['lacks', 'nothing'],
  ])
  expect(report.steps[1]?.findings).toEqual([
    {
      name: 'Needs',
      state: 'warn',
      detail: 'The program no-such-program is not installed.',
      fix: 'Install no-such-program, then run the step again',
    },
    {
      name: 'Recording',
      state: 'warn',
      detail: 'None to fall back on',
      fix: `npm run rehearse -- ${join(folder, 'slides.md')} lacks`,
    },
  ])
})

test('the talk is ready if every step has a recording, even a stale one', { timeout: 60_000 }, async () => {
  const store = new RecordingStore(join(folder, 'recordings'))
  const saveRecording = async (command: string) =>
    store.save(
      {
        step: 'lacks',
        command,
        hash: hashCommand(command),
        exit: 0,
        seconds: 1,
        date: '2026-11-23T10:00:00.000Z',
        profile: 'host',
        flake: await fingerprint(join(folder, 'nix'), false),
        captures: {},
      },
      headerLine({ version: 3, term: { cols: 80, rows: 24 } }),
    )
  await saveRecording('no-such-program')
  const current = await runDoctor()
  expect(current.report.steps[1]?.can).toBe('replay')
  expect(current.report.steps[1]?.findings.at(-1)).toMatchObject({ name: 'Recording', state: 'ok' })
  expect(current.exit).toBe(0)

  await saveRecording('another-program')
  const stale = await runDoctor()
  expect(stale.report.steps[1]?.findings.at(-1)).toMatchObject({
    state: 'warn',
    detail: 'Stale: the command changed since 2026-11-23T10:00:00.000Z',
  })
  expect(stale.exit).toBe(0)
})
