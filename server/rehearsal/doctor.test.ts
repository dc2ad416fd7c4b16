import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
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
favicon: https://example.com/icon.svg
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

/** Runs the command `doctor` for a deck. */
async function runDoctor(
  text = slides,
  env: Record<string, string> = {},
): Promise<{ report: Diagnosis; exit: number | undefined }> {
  await writeFile(join(folder, 'slides.md'), text)
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
    env: { UNDERSTUDY_CACHE: join(folder, 'cache'), ...env },
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
  expect(report.machine.filter(({ name }) => name === 'Slides')).toEqual([
    {
      name: 'Slides',
      state: 'warn',
      detail: expect.stringMatching(
        /^The deck loads from the network, which the room may not have: .*https:\/\/example\.com\/icon\.svg \(slides\.md:2\)/,
      ),
      fix: `For each, see: npm run check -- ${join(folder, 'slides.md')}`,
    },
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

test.skipIf(execaSync('nix', ['--version'], { reject: false }).exitCode !== 0)(
  'a step cannot run if it uses nix, whose experimental features are disabled',
  { timeout: 60_000 },
  async () => {
    await mkdir(join(folder, '.config/nix'), { recursive: true })
    await writeFile(join(folder, '.config/nix/nix.conf'), 'experimental-features =\n')
    const { report } = await runDoctor('```sh {step=build}\nnix build\n```\n', { HOME: folder })
    expect(report.steps).toMatchObject([
      {
        step: 'build',
        can: 'nothing',
        findings: [{ name: 'Nix', detail: expect.stringContaining('"nix-command"') }, {}],
      },
    ])
  },
)
