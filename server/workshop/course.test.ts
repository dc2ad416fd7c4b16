import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { identify } from '../executor/process-tree.ts'
import { TestWorkshop } from '../test/workshop.ts'
import { lastOpenSlide } from '../../shared/protocol/workshop.ts'

// Each starts some fifty processes: a machine that has other things to do takes its time.
vi.setConfig({ testTimeout: 20_000 })

let workshop: TestWorkshop
afterEach(() => workshop.close())

const course = () => workshop.learner.course
const edit = (path: string, text: string) => writeFile(workshop.copy(path), text)
const git = (...args: string[]) => execFileSync('git', args, { cwd: workshop.copy('.'), encoding: 'utf8' })

test('a learner begins a task, fails it first, is told why, and passes it', async () => {
  workshop = await TestWorkshop.make()
  expect([workshop.state('port'), workshop.state('header')]).toEqual(['open', 'locked'])
  await course().beginTask('port')
  expect(workshop.progress('port')).toMatchObject({
    state: { state: 'begun' },
    setup: [{ kind: 'look', text: 'service.nix listens on 8080 now' }],
  })
  expect(await course().check('port')).toMatchObject({
    result: 'failed',
    lines: [
      { kind: 'look', text: 'the port in service.nix' },
      { kind: 'fail', text: 'The port is 8080, not 8081.' },
    ],
  })
  expect(workshop.state('port')).toBe('failed')
  await edit('service.nix', '{\n  port = 8081;\n}\n')
  expect(await course().check('port')).toMatchObject({
    result: 'passed',
    lines: [{ kind: 'look' }, { kind: 'ok', text: 'it is 8081, in the profile host' }],
  })
  expect(workshop.progress('port').state).toMatchObject({ state: 'passed', by: 'learner' })
  // The next one opens, and every window is told.
  expect(workshop.messages.findLast((message) => message.type === 'task' && message.task === 'header')).toMatchObject({
    progress: { state: { state: 'open' } },
  })
})

test('a task that depends on another is refused until that is done, and no check runs before a task is begun', async () => {
  workshop = await TestWorkshop.make()
  await expect(course().beginTask('header')).rejects.toMatchObject({
    refusal: { kind: 'locked' },
    message: 'Finish or skip "Another port" first.',
  })
  await expect(course().skip('header')).rejects.toMatchObject({ refusal: { kind: 'locked' } })
  await expect(course().check('port')).rejects.toMatchObject({ refusal: { kind: 'not-begun' } })
  await expect(course().check('nothing')).rejects.toMatchObject({ refusal: { kind: 'unknown-task' } })
})

test('hints open one by one, and stay open', async () => {
  workshop = await TestWorkshop.make()
  await expect(course().openHint('port', 2)).rejects.toThrow('Open hint 1 first.')
  await course().openHint('port', 1)
  await course().openHint('port', 2)
  await course().openHint('port', 1)
  await expect(course().openHint('port', 3)).rejects.toThrow('has 2 hints')
  await course().beginTask('port')
  expect(workshop.progress('port').hints).toEqual(['Open `service.nix`.', 'Change the number.'])
})

test('the solution is shown as a patch that changes nothing, and then applied and checked', async () => {
  workshop = await TestWorkshop.make()
  await course().beginTask('port')
  const { solution, patch } = await course().solution('port')
  expect(patch).toContain('-  port = 8080;\n+  port = 8081;\n')
  expect(await readFile(workshop.copy('service.nix'), 'utf8')).toContain('8080')
  execFileSync('git', ['apply', '--check', '-'], { cwd: workshop.copy('.'), input: patch })
  await course().applySolution('port', solution)
  expect(workshop.progress('port')).toMatchObject({
    state: { state: 'passed', by: 'solution' },
    check: { result: 'passed' },
  })
})

test('a solution of other files than those that it was shown for is not applied', async () => {
  workshop = await TestWorkshop.make()
  await course().beginTask('port')
  const { solution } = await course().solution('port')
  await edit('service.nix', '{\n  port = 9;\n}\n')
  await expect(course().applySolution('port', solution)).rejects.toMatchObject({ refusal: { kind: 'outdated' } })
  expect(await readFile(workshop.copy('service.nix'), 'utf8')).toContain('port = 9;')
})

test('where the solution does not fit what the learner made of the files, a reset of the task is offered, and it helps', async () => {
  workshop = await TestWorkshop.make()
  await course().beginTask('port')
  await edit('service.nix', 'all gone\n')
  await edit('notes.txt', 'mine')
  await expect(course().solution('port')).rejects.toMatchObject({
    refusal: { kind: 'no-solution' },
    message: expect.stringContaining('there is no port in service.nix. Reset the task'),
  })
  await expect(course().skip('port')).rejects.toMatchObject({ refusal: { kind: 'no-solution' } })
  expect(await readFile(workshop.copy('service.nix'), 'utf8')).toBe('all gone\n')
  await course().resetTask('port')
  expect(await readFile(workshop.copy('service.nix'), 'utf8')).toContain('port = 8080;')
  expect(existsSync(workshop.copy('notes.txt'))).toBe(false)
  expect((await course().solution('port')).patch).toContain('+  port = 8081;')
})

test('to skip is to begin and to solve: the task behind it opens', async () => {
  workshop = await TestWorkshop.make()
  await course().skip('port')
  expect(workshop.state('port')).toBe('skipped')
  expect(await readFile(workshop.copy('service.nix'), 'utf8')).toContain('8081')
  await course().skip('header')
  expect(await readFile(workshop.copy('headers/csp.txt'), 'utf8')).toBe('default-src self\n')
})

test('a reset of a task takes what was done in it only, runs its own reset, and touches nothing of the learner’s git', async () => {
  workshop = await TestWorkshop.make()
  await edit('mine.txt', 'from before\n')
  await course().skip('port')
  await course().beginTask('header')
  git('-c', 'user.name=me', '-c', 'user.email=me@example.org', 'commit', '--quiet', '--allow-empty', '-m', 'mine')
  await edit('service.nix', 'staged\n')
  git('add', 'service.nix')
  const before = [git('rev-parse', 'HEAD'), git('branch'), git('ls-files', '--stage'), git('for-each-ref')]
  await course().resetTask('header')
  expect([git('rev-parse', 'HEAD'), git('branch'), git('ls-files', '--stage'), git('for-each-ref')]).toEqual(before)
  expect(await readFile(workshop.copy('mine.txt'), 'utf8')).toBe('from before\n')
  expect(await readFile(workshop.copy('service.nix'), 'utf8')).toContain('8081')
  expect(existsSync(workshop.copy('was-reset'))).toBe(true)
})

test('a newer check takes the place of the one that runs, and its lines come while it runs', async () => {
  workshop = await TestWorkshop.make()
  await course().beginTask('port')
  await course().setCheckOnSave(false)
  await edit('slow', '')
  const first = course().check('port')
  await workshop.until(() => workshop.lines().some(({ text }) => text.startsWith('slow:')))
  expect(course().info().activity).toMatchObject({ task: 'port', doing: 'check' })
  await rm(workshop.copy('slow'))
  const second = course().check('port')
  await expect(first).rejects.toMatchObject({ name: 'GivenUp' })
  expect((await second).result).toBe('failed')
  expect(course().info().activity).toBeNull()
})

test('what changes files is not disturbed, but can be stopped; a check that takes too long is ended and says so', async () => {
  workshop = await TestWorkshop.make({
    'tasks/port/setup': 'touch half-made\necho at it\nsleep 30\n',
    'tasks/port/task.md': '---\ntitle: Slow\nteaches: Patience\ntimeout: 1\n---\nWait.\n',
  })
  const begun = course().beginTask('port')
  await workshop.until(() => workshop.lines().some(({ text }) => text === 'at it'))
  await expect(course().skip('port')).rejects.toMatchObject({
    refusal: { kind: 'unexpected' },
    message: expect.stringContaining('"Slow" is not finished'),
  })
  course().stop()
  await expect(begun).rejects.toMatchObject({ name: 'GivenUp' })
  expect(workshop.state('port')).toBe('open')

  await workshop.write('tasks/port/setup', 'touch slow\n')
  await workshop.restart()
  await course().beginTask('port')
  expect((await course().check('port')).result).toBe('timeout')
})

test('a save in another editor checks the task in work, and only where something is new', async () => {
  workshop = await TestWorkshop.make()
  await course().beginTask('port')
  await edit('service.nix', '{\n  port = 8081;\n}\n')
  await workshop.until(() => workshop.state('port') === 'passed')
  workshop.messages.length = 0
  await course().resetTask('port')
  expect(workshop.state('port')).toBe('begun')
  await course().setCheckOnSave(false)
  await workshop.until(() => workshop.messages.some(({ type }) => type === 'file-changed'))
  workshop.messages.length = 0
  await edit('service.nix', '{\n  port = 8081;\n}\n')
  await workshop.until(() => workshop.messages.some(({ type }) => type === 'file-changed'))
  await workshop.learner.end()
  expect(workshop.messages.filter(({ type }) => type === 'activity')).toEqual([])
})

test('everything survives a restart, also one in the middle of a task', async () => {
  workshop = await TestWorkshop.make()
  await course().openHint('port', 1)
  await course().skip('port')
  await course().beginTask('header')
  await edit('headers.txt', 'half done')
  await course().setCheckOnSave(false)
  const before = course().info()
  await workshop.restart()
  const after = course().info()
  expect(after.tasks).toEqual(before.tasks)
  expect([after.checkOnSave, after.files.find(({ path }) => path === 'headers.txt')?.change]).toEqual([false, 'added'])
  await course().resetTask('header')
  expect(existsSync(workshop.copy('headers.txt'))).toBe(false)
})

test('what another server has open is not opened a second time, and what a dead one had open is', async () => {
  workshop = await TestWorkshop.make()
  await workshop.learner.end()
  await workshop.write('learner/server.json', JSON.stringify(identify(process.ppid)))
  await expect(workshop.open()).rejects.toThrow(`open already, in process ${process.ppid}`)
  await workshop.write('learner/server.json', JSON.stringify({ pid: process.ppid, start: 1 }))
  await workshop.open()
})

test('a task that is begun while another is not finished says so, since what that one has broken may stand in its way', async () => {
  workshop = await TestWorkshop.make({ 'tasks/header/task.md': '---\ntitle: A header\nteaches: Files\n---\nAdd it.\n' })
  await course().beginTask('port')
  await course().beginTask('header')
  expect(workshop.progress('header').setup).toEqual([
    { kind: 'look', text: expect.stringContaining('"Another port" is begun and not finished') },
  ])
  await course().skip('port')
  await course().beginTask('header')
  expect(workshop.progress('header').setup).toEqual([])
})

test('damaged progress is set aside and told; the files stay', async () => {
  workshop = await TestWorkshop.make()
  await course().skip('port')
  await workshop.learner.end()
  await workshop.write('learner/progress.json', '{"format":1,"tasks":{"port":{"sta')
  await workshop.open()
  const { notices, tasks } = course().info()
  expect(notices).toEqual([expect.stringContaining('could not be read')])
  const [aside] = /progress\.json\.damaged-\S+/.exec(notices[0] ?? '') ?? ['none']
  expect(await readFile(join(workshop.folder, 'learner', aside), 'utf8')).toContain('"sta')
  expect(tasks[0]?.progress.state.state).toBe('open')
  expect(await readFile(workshop.copy('service.nix'), 'utf8')).toContain('8081')
})

test('a gated course opens slides and tasks one after the other', async () => {
  workshop = await TestWorkshop.make(
    { 'tasks/header/task.md': '---\ntitle: A header\nteaches: Files\n---\nAdd it.\n' },
    { gated: true },
  )
  expect(workshop.state('header')).toBe('locked')
  expect(lastOpenSlide(course().info())).toBe(2)
  await course().skip('port')
  expect(workshop.state('header')).toBe('open')
  expect(lastOpenSlide(course().info())).toBe(3)
  await course().skip('header')
  expect(lastOpenSlide(course().info())).toBeUndefined()
})

test('a task of another profile is told to be unavailable, and holds nothing up', async () => {
  workshop = await TestWorkshop.make({
    'tasks/port/task.md': '---\ntitle: Another port\nteaches: Options\nprofiles: [nixos]\n---\nDo it.\n',
  })
  expect(workshop.progress('port').state).toMatchObject({
    state: 'unavailable',
    reason: expect.stringContaining('nixos'),
  })
  expect(workshop.state('header')).toBe('open')
  await expect(course().beginTask('port')).rejects.toMatchObject({ refusal: { kind: 'unexpected' } })
})

test('a deck without tasks is a workshop too: its files can be edited, and its steps run in the copy', async () => {
  workshop = await TestWorkshop.make({
    'slides.md': '---\ntitle: No tasks\n---\n\n```sh {step=where}\ntouch it-ran\n```\n',
  })
  const { tasks, files } = course().info()
  expect(tasks).toEqual([])
  expect(files.map(({ path }) => path)).toEqual(['docs/read me.txt', 'service.nix'])
  const { stage } = workshop.learner
  const run = await stage.run({ step: 'where', hash: stage.steps()[0]?.hash ?? '', inputs: {} })
  await run.ended
  expect(existsSync(workshop.copy('it-ran'))).toBe(true)
})

test('a setup that fails leaves the task open and says what to do', async () => {
  workshop = await TestWorkshop.make({ 'tasks/port/setup': 'echo "service.nix is not there" >&2\nexit 3\n' })
  await expect(course().beginTask('port')).rejects.toThrow(
    '"Another port" could not be begun: service.nix is not there. Reset all files to the start',
  )
  expect(workshop.state('port')).toBe('open')
})

test('a check that fails without a word is told to be broken, and keeps what programs said', async () => {
  workshop = await TestWorkshop.make({ 'tasks/port/check': 'nonsense-program; exit 4\n' })
  await course().beginTask('port')
  const { result, lines } = await course().check('port')
  expect(result).toBe('broken')
  expect(lines.at(-1)?.text).toContain('nonsense-program: command not found')
})
