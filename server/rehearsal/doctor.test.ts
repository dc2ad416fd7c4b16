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

async function see(text = slides): Promise<{ found: Diagnosis; exit: number | undefined }> {
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
    env: { UNDERSTUDY_CACHE: join(folder, 'cache') },
  })
  if (stdout === '') throw new Error(stderr)
  return { found: diagnosis.parse(JSON.parse(stdout)), exit: exitCode }
}

test('a talk with a step that can neither run nor be replayed cannot be given', { timeout: 60_000 }, async () => {
  const { found, exit } = await see()
  expect(exit).toBe(1)
  expect(found).toMatchObject({ profile: 'host', ready: false })
  expect(found.steps.map(({ step, can }) => [step, can])).toEqual([
    ['runs', 'run'],
    ['lacks', 'nothing'],
  ])
  expect(found.steps[1]?.findings).toEqual([
    {
      name: 'Needs',
      state: 'warn',
      detail: 'The program no-such-program is not installed.',
      fix: 'Install no-such-program, then run the step again',
    },
    { name: 'Recording', state: 'warn', detail: 'There is none to fall back on.', fix: 'npm run rehearse -- lacks' },
  ])
})

test('with its recording it can be given, and a stale one is told', { timeout: 60_000 }, async () => {
  const store = new RecordingStore(join(folder, 'recordings'))
  const keep = async (command: string) =>
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
  await keep('no-such-program')
  const fresh = await see()
  expect(fresh.found.steps[1]?.can).toBe('replay')
  expect(fresh.found.steps[1]?.findings.at(-1)).toMatchObject({ name: 'Recording', state: 'ok' })
  expect(fresh.exit).toBe(0)

  await keep('another-program')
  expect((await see()).found.steps[1]?.findings.at(-1)).toMatchObject({
    state: 'warn',
    detail: 'Stale: the command changed since 2026-11-23T10:00:00.000Z.',
  })
})
