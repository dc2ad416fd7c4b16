import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { TestWorkshop } from '../test/workshop.ts'
import { lastOpenSlide } from '../../shared/protocol/workshop.ts'

// Each test starts some fifty processes, which is slow on a busy machine.
vi.setConfig({ testTimeout: 20_000 })

let workshop: TestWorkshop
afterEach(() => workshop.close())

const course = () => workshop.learner.course
const edit = (path: string, text: string) => writeFile(workshop.file(path), text)
const git = (...args: string[]) => execFileSync('git', args, { cwd: workshop.file('.'), encoding: 'utf8' })

test('a check reports why it fails, and passes after the learner has edited the file', async () => {
  workshop = await TestWorkshop.create()
  expect([workshop.state('port'), workshop.state('header')]).toEqual(['open', 'locked'])
  await course().beginTask('port')
  expect(workshop.progress('port')).toMatchObject({
    state: { state: 'begun' },
    setup: [{ kind: 'look', text: 'service.nix now listens on 8080' }],
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
    lines: [{ kind: 'look' }, { kind: 'ok', text: 'The port is 8081, in the profile host' }],
  })
  expect(workshop.progress('port').state).toMatchObject({ state: 'passed', by: 'learner' })
  // The task that depends on it opens.
  expect(workshop.messages.findLast((message) => message.type === 'task' && message.task === 'header')).toMatchObject({
    progress: { state: { state: 'open' } },
  })
})

test('a locked, not begun or unknown task is refused', async () => {
  workshop = await TestWorkshop.create()
  await expect(course().beginTask('header')).rejects.toMatchObject({
    refusal: { kind: 'locked', blockedBy: ['Another port'] },
    message: 'Complete or skip "Another port" first.',
  })
  await expect(course().skip('header')).rejects.toMatchObject({ refusal: { kind: 'locked' } })
  await expect(course().check('port')).rejects.toMatchObject({ refusal: { kind: 'not-begun' } })
  await expect(course().check('nothing')).rejects.toMatchObject({ refusal: { kind: 'unknown-task' } })
})

test('hints open in order and remain open', async () => {
  workshop = await TestWorkshop.create()
  await expect(course().openHint('port', 2)).rejects.toThrow('Open hint 1 first.')
  await course().openHint('port', 1)
  await course().openHint('port', 2)
  await course().openHint('port', 1)
  await expect(course().openHint('port', 3)).rejects.toThrow('Task "Another port" has 2 hints.')
  await course().beginTask('port')
  expect(workshop.progress('port').hints).toEqual(['Open `service.nix`.', 'Change the number.'])
})

test('a solution is previewed as a patch without changing files, then applied and checked', async () => {
  workshop = await TestWorkshop.create()
  await course().beginTask('port')
  const { solution, patch } = await course().previewSolution('port')
  expect(patch).toContain('-  port = 8080;\n+  port = 8081;\n')
  expect(await readFile(workshop.file('service.nix'), 'utf8')).toContain('8080')
  execFileSync('git', ['apply', '--check', '-'], { cwd: workshop.file('.'), input: patch })
  await course().applySolution('port', solution)
  expect(workshop.progress('port')).toMatchObject({
    state: { state: 'passed', by: 'solution' },
    check: { result: 'passed' },
  })
})

test('a solution is not applied if the files have changed since the preview', async () => {
  workshop = await TestWorkshop.create()
  await course().beginTask('port')
  const { solution } = await course().previewSolution('port')
  await edit('service.nix', '{\n  port = 9;\n}\n')
  await expect(course().applySolution('port', solution)).rejects.toMatchObject({
    refusal: { kind: 'solution-outdated' },
  })
  expect(await readFile(workshop.file('service.nix'), 'utf8')).toContain('port = 9;')
})

test('a solution that does not fit the files is refused until the task is reset', async () => {
  workshop = await TestWorkshop.create()
  await course().beginTask('port')
  await edit('service.nix', 'no option left\n')
  await edit('notes.txt', 'mine')
  await expect(course().previewSolution('port')).rejects.toMatchObject({
    refusal: { kind: 'solution-mismatch', title: 'Another port', output: ['service.nix has no port'] },
    message: expect.stringContaining('does not fit your files: service.nix has no port. Reset the task'),
  })
  await expect(course().skip('port')).rejects.toMatchObject({ refusal: { kind: 'solution-mismatch' } })
  expect(await readFile(workshop.file('service.nix'), 'utf8')).toBe('no option left\n')
  await course().resetTask('port')
  expect(await readFile(workshop.file('service.nix'), 'utf8')).toContain('port = 8080;')
  expect(existsSync(workshop.file('notes.txt'))).toBe(false)
  expect((await course().previewSolution('port')).patch).toContain('+  port = 8081;')
})

test('skipping a task applies its solution and opens the tasks that depend on it', async () => {
  workshop = await TestWorkshop.create()
  await course().skip('port')
  expect(workshop.state('port')).toBe('skipped')
  expect(await readFile(workshop.file('service.nix'), 'utf8')).toContain('8081')
  await course().skip('header')
  expect(await readFile(workshop.file('headers/csp.txt'), 'utf8')).toBe('default-src self\n')
})

test('resetting a task keeps earlier changes and the learner’s Git repository, and runs the reset script', async () => {
  workshop = await TestWorkshop.create()
  await edit('mine.txt', 'from before\n')
  await course().skip('port')
  await course().beginTask('header')
  git('-c', 'user.name=me', '-c', 'user.email=me@example.org', 'commit', '--quiet', '--allow-empty', '-m', 'mine')
  await edit('service.nix', 'staged\n')
  git('add', 'service.nix')
  const before = [git('rev-parse', 'HEAD'), git('branch'), git('ls-files', '--stage'), git('for-each-ref')]
  await course().resetTask('header')
  expect([git('rev-parse', 'HEAD'), git('branch'), git('ls-files', '--stage'), git('for-each-ref')]).toEqual(before)
  expect(await readFile(workshop.file('mine.txt'), 'utf8')).toBe('from before\n')
  expect(await readFile(workshop.file('service.nix'), 'utf8')).toContain('8081')
  expect(existsSync(workshop.file('was-reset'))).toBe(true)
})

test('a new check cancels the running one, and lines are sent while a check runs', async () => {
  workshop = await TestWorkshop.create()
  await course().beginTask('port')
  await course().setCheckOnSave(false)
  await edit('slow', '')
  const first = course().check('port')
  await workshop.waitFor(() => workshop.lines().some(({ text }) => text.startsWith('slow:')))
  expect(course().info().activity).toMatchObject({ task: 'port', action: 'check' })
  await rm(workshop.file('slow'))
  const second = course().check('port')
  await expect(first).rejects.toMatchObject({
    name: 'ActivityCanceledError',
    message: 'Checking "Another port" was canceled.',
  })
  expect((await second).result).toBe('failed')
  expect(course().info().activity).toBeNull()
})

test('an activity that changes files refuses others, but can be canceled', async () => {
  workshop = await TestWorkshop.create({ 'tasks/port/setup': 'touch half-made\necho running\nsleep 30\n' })
  const begun = course().beginTask('port')
  await workshop.waitFor(() => workshop.lines().some(({ text }) => text === 'running'))
  await expect(course().skip('port')).rejects.toMatchObject({
    refusal: { kind: 'activity-running', action: 'begin', title: 'Another port' },
    message: '"Another port" is still being started. Wait, or stop it.',
  })
  course().stopActivity()
  await expect(begun).rejects.toThrow('Starting "Another port" was canceled.')
  expect(workshop.state('port')).toBe('open')
})

test('a check that exceeds the time limit of its task has the result "timeout"', async () => {
  workshop = await TestWorkshop.create({
    'tasks/port/setup': 'touch slow\n',
    'tasks/port/task.md': '---\ntitle: Slow\nteaches: Time limits\ntimeout: 1\n---\nWait.\n',
  })
  await course().beginTask('port')
  expect((await course().check('port')).result).toBe('timeout')
})

test('a save in another editor checks the current task, unless check on save is off', async () => {
  workshop = await TestWorkshop.create()
  await course().beginTask('port')
  await edit('service.nix', '{\n  port = 8081;\n}\n')
  await workshop.waitFor(() => workshop.state('port') === 'passed')
  workshop.messages.length = 0
  await course().resetTask('port')
  expect(workshop.state('port')).toBe('begun')
  await course().setCheckOnSave(false)
  await workshop.waitFor(() => workshop.messages.some(({ type }) => type === 'file-changed'))
  workshop.messages.length = 0
  await edit('service.nix', '{\n  port = 8081;\n}\n')
  await workshop.waitFor(() => workshop.messages.some(({ type }) => type === 'file-changed'))
  await workshop.learner.close()
  expect(workshop.messages.filter(({ type }) => type === 'activity')).toEqual([])
})

test('progress, files and settings survive a restart in the middle of a task', async () => {
  workshop = await TestWorkshop.create()
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
  expect(existsSync(workshop.file('headers.txt'))).toBe(false)
})

test('a workshop that is open cannot be opened a second time', async () => {
  workshop = await TestWorkshop.create()
  const { learner } = workshop
  await expect(workshop.open()).rejects.toMatchObject({ name: 'FolderLockedError', pid: process.pid })
  await learner.close()
  await workshop.open()
})

test('a workspace in the folder of an earlier version is moved to the new folder', async () => {
  workshop = await TestWorkshop.create()
  await edit('mine.txt', 'a day of work')
  await workshop.learner.close()
  await rename(workshop.file('.'), join(workshop.folder, 'learner', 'copy'))
  await workshop.open()
  expect(await readFile(workshop.file('mine.txt'), 'utf8')).toBe('a day of work')
})

test('beginning a task names other tasks that are not finished', async () => {
  workshop = await TestWorkshop.create({
    'tasks/header/task.md': '---\ntitle: A header\nteaches: Files\n---\nAdd it.\n',
  })
  await course().beginTask('port')
  await course().beginTask('header')
  expect(workshop.progress('header').setup).toEqual([
    { kind: 'look', text: expect.stringContaining('"Another port" is not finished') },
  ])
  await course().skip('port')
  await course().beginTask('header')
  expect(workshop.progress('header').setup).toEqual([])
})

test('a damaged progress file is renamed and kept, and the workspace files do not change', async () => {
  workshop = await TestWorkshop.create()
  await course().skip('port')
  await workshop.learner.close()
  await workshop.write('learner/progress.json', '{"format":1,"tasks":{"port":{"sta')
  await workshop.open()
  const { notices, tasks } = course().info()
  expect(notices).toEqual([expect.stringContaining('progress file is damaged')])
  const [backup] = /progress\.json\.damaged-\S+/.exec(notices[0] ?? '') ?? ['none']
  expect(await readFile(join(workshop.folder, 'learner', backup), 'utf8')).toContain('"sta')
  expect(tasks[0]?.progress.state.state).toBe('open')
  expect(await readFile(workshop.file('service.nix'), 'utf8')).toContain('8081')
})

test('a sequential course opens slides and tasks in order', async () => {
  workshop = await TestWorkshop.create(
    { 'tasks/header/task.md': '---\ntitle: A header\nteaches: Files\n---\nAdd it.\n' },
    { sequential: true },
  )
  expect(workshop.state('header')).toBe('locked')
  expect(lastOpenSlide(course().info())).toBe(2)
  await course().skip('port')
  expect(workshop.state('header')).toBe('open')
  expect(lastOpenSlide(course().info())).toBe(3)
  await course().skip('header')
  expect(lastOpenSlide(course().info())).toBeUndefined()
})

test('a task of another profile is unavailable and does not block other tasks', async () => {
  workshop = await TestWorkshop.create({
    'tasks/port/task.md': '---\ntitle: Another port\nteaches: Options\nprofiles: [nixos]\n---\nDo it.\n',
  })
  expect(workshop.progress('port').state).toMatchObject({
    state: 'unavailable',
    profiles: ['nixos'],
    profile: 'host',
  })
  expect(workshop.state('header')).toBe('open')
  await expect(course().beginTask('port')).rejects.toThrow(
    'This task requires the profile nixos; this workshop runs in the profile host.',
  )
})

test('a deck without tasks lists its files and runs its steps in the workspace', async () => {
  workshop = await TestWorkshop.create({
    'slides.md': '---\ntitle: No tasks\n---\n\n```sh {step=where}\ntouch it-ran\n```\n',
  })
  const { tasks, files } = course().info()
  expect(tasks).toEqual([])
  expect(files.map(({ path }) => path)).toEqual(['docs/read me.txt', 'service.nix'])
  const { stage } = workshop.learner
  const run = await stage.run({ step: 'where', hash: stage.steps()[0]?.hash ?? '', inputs: {} })
  await run.ended
  expect(existsSync(workshop.file('it-ran'))).toBe(true)
})

test('a failing setup script leaves the task open', async () => {
  workshop = await TestWorkshop.create({ 'tasks/port/setup': 'echo "service.nix is missing" >&2\nexit 3\n' })
  await expect(course().beginTask('port')).rejects.toThrow(
    '"Another port" could not be started: service.nix is missing. Reset all files, then start the task again.',
  )
  expect(workshop.state('port')).toBe('open')
})

test('a check that fails without a FAIL line has the result "broken" and keeps its output', async () => {
  workshop = await TestWorkshop.create({ 'tasks/port/check': 'nonsense-program; exit 4\n' })
  await course().beginTask('port')
  const { result, lines } = await course().check('port')
  expect(result).toBe('broken')
  expect(lines.at(-1)?.text).toContain('nonsense-program: command not found')
})
