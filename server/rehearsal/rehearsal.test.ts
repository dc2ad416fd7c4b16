import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readDeck } from '../deck/deck.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { RecordingStore } from '../recording/store.ts'
import { rehearse, type StepReport } from './rehearsal.ts'
import { fileEntries, junit, rehearsalFile, table } from './rehearsal-report.ts'
import { Stage } from '../steps/stage.ts'

const secret = 'hcloud-token-of-the-speaker'

/** Steps with different results. `good` and `split` pass unless the workdir contains the file "broken". */
const slides = `---
steps:
  good: { expect: { output: one } }
  fails: { expect: { output: never } }
  hangs: { timeout: 1s }
  late: { expect: { output: ^needle$ } }
  split: { capture: { token: { output: 'token (.*)' } }, verify: 'echo "$TOKEN"; test ! -e broken' }
  needs-fails: { depends: [fails] }
  costly: { confirm: { warning: Costs money., type: rent } }
  lacks: { needs: { programs: [no-such-program] } }
---

${[
  ['good', 'echo one; test ! -e broken'],
  ['fails', 'echo no; (exit 3)'],
  ['hangs', 'sleep 4821'],
  ['late', 'seq 1 300000; sleep 0.2; printf needle'],
  ['split', 'printf "token %s" "${TOKEN:0:9}"; sleep 0.1; echo "${TOKEN:9}"'],
  ['needs-fails', 'true'],
  ['costly', 'true'],
  ['lacks', 'true'],
]
  .map(([id, command]) => `\`\`\`sh {step=${id}}\n${command}\n\`\`\`\n`)
  .join('\n')}`

let folder: string
let stage: Stage
let store: RecordingStore

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-rehearsal-'))
  for (const name of ['work', 'scratch']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'slides.md'), slides)
  store = new RecordingStore(join(folder, 'recordings'))
})
afterEach(async () => {
  await stage.end()
  await rm(folder, { recursive: true })
})

/** Rehearses the deck, or some of its steps. */
async function rehearseDeck(options: { only?: string[]; keepGoing?: boolean } = {}): Promise<StepReport[]> {
  const deck = await readDeck(join(folder, 'slides.md'))
  const executor = new LocalExecutor({
    cwd: join(folder, 'work'),
    env: { PATH: process.env.PATH ?? '', HOME: folder, TOKEN: secret },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
  stage = new Stage({
    deck,
    profile: { name: 'host', env: {} },
    executor,
    resetWorkdir: async () => {},
    secrets: [secret],
  })
  const { only, keepGoing = true } = options
  const steps = [...deck.steps.values()].filter(({ id }) => !only || only.includes(id))
  const facts = { profile: 'host' as const, flake: 'none' }
  const reports = await rehearse({
    deck,
    stage,
    executor,
    steps,
    keepGoing,
    scratch: join(folder, 'scratch'),
    secrets: [secret],
    store: { recordings: store, facts },
    signal: new AbortController().signal,
    onStep: () => {},
  })
  await stage.end()
  return reports
}
/** The result of each step, with the kind of its first problem or the reason why it was not run. */
const outcomes = (reports: StepReport[]) =>
  reports.map((report) => [
    report.step,
    report.result,
    report.result === 'not-run' ? report.reason.kind : report.problems[0]?.kind,
  ])

test('each step is checked against its contract', { timeout: 30_000 }, async () => {
  const reports = await rehearseDeck()
  expect(outcomes(reports)).toEqual([
    ['good', 'passed', undefined],
    ['fails', 'failed', 'exit-status'],
    ['hangs', 'failed', 'stopped'],
    ['late', 'passed', undefined],
    ['split', 'passed', undefined],
    ['needs-fails', 'not-run', 'dependency'],
    ['costly', 'not-run', 'confirmation'],
    ['lacks', 'not-run', 'unavailable'],
  ])
  expect((await store.steps('host')).sort()).toEqual(['good', 'late', 'split'])
  // Recordings that were not saved are removed.
  expect(await readdir(join(folder, 'scratch'))).toEqual([])

  const date = new Date().toISOString()
  const file = { deck: 'A deck', profile: 'host' as const, date, steps: fileEntries(reports) }
  expect(rehearsalFile.parse(JSON.parse(JSON.stringify(file)))).toEqual(file)
  expect(junit('A deck', 'host', date, reports)).toMatch(
    /tests="8" failures="2" skipped="3"[^]*<failure message="The exit status is 3, not 0\.">/,
  )
  expect(table(reports, file)).toMatch(/^good +passed +\d+\.\d s +\+0\.0 s$/m)
})

test('a failed run does not replace a recording and ends the rehearsal', async () => {
  const [first] = await rehearseDeck({ only: ['good'] })
  expect(first).toMatchObject({ result: 'passed', recorded: true })
  const recording = await readFile(store.file('host', 'good', 'cast'), 'utf8')
  await writeFile(join(folder, 'work', 'broken'), '')
  expect(outcomes(await rehearseDeck({ only: ['good', 'late'], keepGoing: false }))).toEqual([
    ['good', 'failed', 'exit-status'],
    ['late', 'not-run', 'earlier-failure'],
  ])
  expect(await readFile(store.file('host', 'good', 'cast'), 'utf8')).toBe(recording)
  expect(await store.steps('host')).toEqual(['good'])
})

test('a secret that is printed in two parts appears in no file and no report', async () => {
  const [passed] = await rehearseDeck({ only: ['split'] })
  expect(passed).toMatchObject({ result: 'passed', captures: { token: { value: '*'.repeat(secret.length) } } })
  await writeFile(join(folder, 'work', 'broken'), '')
  const [failed] = await rehearseDeck({ only: ['split'] })
  expect(failed).toMatchObject({ result: 'failed', problems: [{ kind: 'verify', output: '*'.repeat(secret.length) }] })
  const names = (await readdir(join(folder, 'recordings'), { recursive: true })).filter((name) => name.includes('.'))
  expect(names.sort()).toEqual(['host/split.cast', 'host/split.json'])
  for (const name of names)
    expect(await readFile(join(folder, 'recordings', name), 'utf8'), name).not.toContain(secret.slice(0, 9))
  expect(JSON.stringify([passed, failed])).not.toContain(secret.slice(0, 9))
})

test('a step that ended after it was ready is not interrupted', async () => {
  await writeFile(
    join(folder, 'slides.md'),
    [
      '---\nsteps:\n  brief: { ready: { output: ^up$ } }\n---\n',
      '```sh {step=brief terminal=one}\necho up; sleep 0.2\n```\n',
      '```sh {step=next terminal=one}\necho next\n```\n',
    ].join('\n'),
  )
  expect(outcomes(await rehearseDeck())).toEqual([
    ['brief', 'passed', undefined],
    ['next', 'passed', undefined],
  ])
})
