import { execFileSync } from 'node:child_process'
import { type IncomingHttpHeaders, request } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestClass, TOKENS } from '../test/workshop.ts'
import { PATCH_PATH } from '../../shared/protocol/workshop.ts'

let testClass: TestClass
beforeAll(async () => {
  testClass = await TestClass.create()
})
afterAll(() => testClass.close())

function get(path: string, cookie: string): Promise<{ status: number; text: string; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port: testClass.port, path, headers: { host: `localhost:${testClass.port}`, cookie } },
      (response) => {
        readText(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
          reject,
        )
      },
    )
      .on('error', reject)
      .end()
  })
}

test('each learner has their own link, which does not give presenter access', async () => {
  expect([...testClass.links]).toEqual([
    ['ada', `http://localhost:${testClass.port}/workshop?token=${TOKENS.ada}`],
    ['bob', `http://localhost:${testClass.port}/workshop?token=${TOKENS.bob}`],
  ])
  const entry = await get(`/workshop?token=${TOKENS.ada}`, '')
  expect([entry.status, entry.headers.location, String(entry.headers['set-cookie'])]).toEqual([
    303,
    '/workshop',
    `understudy-${testClass.port}-learner=${TOKENS.ada}; HttpOnly; SameSite=Lax; Path=/`,
  ])
  expect((await get('/', `understudy-${testClass.port}=${TOKENS.ada}`)).status).toBe(401)
  expect((await get('/', `understudy-${testClass.port}=undefined`)).status).toBe(401)
})

test('a learner can solve a task over the websocket, and all windows receive the progress', async () => {
  const first = await testClass.window('ada')
  const second = await testClass.window('ada')
  const { course, role, permissions } = await first.message('hello')
  expect([role, permissions]).toEqual(['learner', ['view', 'type', 'run', 'navigate', 'replay', 'learn']])
  expect(course).toMatchObject({
    sequential: false,
    activity: null,
    files: [{ path: 'docs/read me.txt' }, { path: 'service.nix' }],
    tasks: [{ id: 'port', hints: 2, progress: { hints: [], state: { state: 'open' } } }, { id: 'header' }],
  })
  first.send({ type: 'begin-task', task: 'port' })
  await second.message('task', ({ progress }) => progress.state.state === 'begun')
  first.send({ type: 'open-file', path: 'service.nix' })
  const { hash, text } = await first.message('file')
  first.send({ type: 'save-file', path: 'service.nix', text: text.replace('8080', '8081'), base: hash })
  const saved = await first.message('saved')
  // The save alone starts the check.
  await second.message('task', ({ progress }) => progress.state.state === 'passed')
  await second.message('file-changed', (each) => each.path === 'service.nix' && each.hash === saved.hash)
  second.send({ type: 'save-file', path: 'service.nix', text: 'late', base: hash })
  expect(await second.message('conflict')).toMatchObject({
    yours: 'late',
    theirs: { hash: saved.hash, text: expect.stringContaining('8081') },
  })
})

test('a learner receives nothing about another learner', async () => {
  const other = await testClass.window('bob')
  const own = await testClass.window('ada')
  own.send({ type: 'sync', channel: 'page', state: { page: 2 } })
  own.send({ type: 'attach', terminal: 'show' })
  await own.message('snapshot')
  own.send({ type: 'input', terminal: 'show', data: 'pwd\r' })
  await own.shows('show', testClass.ada.folder)
  own.send({ type: 'skip-task', task: 'header' })
  await own.message('task', ({ task, progress }) => task === 'header' && progress.state.state === 'skipped')
  other.send({ type: 'attach', terminal: 'show' })
  await other.message('snapshot')
  other.send({ type: 'input', terminal: 'show', data: 'pwd; ls\r' })
  await other.shows('show', 'service.nix')
  expect(other.text('show')).toContain(testClass.bob.folder)
  expect(other.text('show')).not.toContain(testClass.ada.folder)
  expect(other.messages.filter(({ type }) => !['hello', 'snapshot', 'terminal'].includes(type))).toEqual([])
  other.send({ type: 'open-file', path: 'headers/csp.txt' })
  expect(await other.message('refused')).toMatchObject({ refusal: { kind: 'file-missing' }, path: 'headers/csp.txt' })
})

test('a refusal names the task or the path, and an invalid message is refused', async () => {
  const own = await testClass.window('bob')
  own.send({ type: 'check-task', task: 'port' })
  expect(await own.message('refused')).toMatchObject({
    refusal: { kind: 'not-begun', title: 'Another port' },
    task: 'port',
  })
  own.forget()
  own.send({ type: 'save-file', path: '../escape', text: '', base: null })
  expect(await own.message('refused')).toMatchObject({ refusal: { kind: 'invalid-path' }, path: '../escape' })
  own.forget()
  own.send({ type: 'save-file', path: 'service.nix', text: '', base: 'not a hash' })
  expect((await own.message('refused')).refusal).toMatchObject({ kind: 'invalid-message', type: 'save-file' })
})

test('a learner can download only their own changes as a patch', async () => {
  const { status, text, headers } = await get(PATCH_PATH, `understudy-${testClass.port}-learner=${TOKENS.ada}`)
  expect([status, headers['content-disposition']]).toEqual([200, 'attachment; filename="changes.patch"'])
  execFileSync('git', ['apply', '--check', '-'], { cwd: testClass.bob.file('.'), input: text })
  expect(text).toContain('+  port = 8081;')
  expect(
    (await get(`${PATCH_PATH}?task=header`, `understudy-${testClass.port}-learner=${TOKENS.ada}`)).text,
  ).not.toContain('8081')
  expect((await get(`${PATCH_PATH}?task=port`, `understudy-${testClass.port}-learner=${TOKENS.bob}`)).status).toBe(404)
  expect((await get(PATCH_PATH, '')).status).toBe(401)
})

test('an edited task is sent without a new build, and an invalid edit is only reported', async () => {
  const own = await testClass.window('ada')
  await testClass.writeDeck(
    'tasks/header/task.md',
    '---\ntitle: Another title\nteaches: How a file is added\ndepends: [port]\n---\nAdd it.\n',
  )
  const { course } = await own.message('course', ({ course }) => course.tasks[1]?.title === 'Another title')
  expect(course.tasks[1]?.progress.state.state).toBe('skipped')
  expect(own.messages.some((message) => message.type === 'deck' && message.deck.state === 'building')).toBe(false)
  await testClass.writeDeck('tasks/header/task.md', 'no frontmatter')
  await own.message(
    'deck',
    ({ deck }) =>
      deck.state === 'broken' && deck.errors.join().includes('tasks/header/task.md:1: must start with frontmatter'),
  )
})
