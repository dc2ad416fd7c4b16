import { execFileSync } from 'node:child_process'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestClass, TOKENS } from '../test/workshop.ts'
import { PATCH_PATH } from '../../shared/protocol/workshop.ts'

let room: TestClass
beforeAll(async () => {
  room = await TestClass.make()
})
afterAll(() => room.close())

function get(
  path: string,
  cookie: string,
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  return new Promise((done, fail) => {
    request(
      { host: '127.0.0.1', port: room.port, path, headers: { host: `localhost:${room.port}`, cookie } },
      async (response) => {
        let text = ''
        for await (const chunk of response) text += String(chunk)
        done({ status: response.statusCode ?? 0, text, headers: response.headers })
      },
    )
      .on('error', fail)
      .end()
  })
}

test('each learner has a link of their own, which lets in nobody as a presenter', async () => {
  expect([...room.links]).toEqual([
    ['ada', `http://localhost:${room.port}/workshop?token=${TOKENS.ada}`],
    ['bob', `http://localhost:${room.port}/workshop?token=${TOKENS.bob}`],
  ])
  const entry = await get(`/workshop?token=${TOKENS.ada}`, '')
  expect([entry.status, entry.headers.location, String(entry.headers['set-cookie'])]).toEqual([
    303,
    '/workshop',
    `understudy-${room.port}-learner=${TOKENS.ada}; HttpOnly; SameSite=Lax; Path=/`,
  ])
  expect((await get('/', `understudy-${room.port}=${TOKENS.ada}`)).status).toBe(401)
  expect((await get('/', `understudy-${room.port}=undefined`)).status).toBe(401)
})

test('a window is told the course, does a task over the websocket, and hears of it', async () => {
  const first = await room.window('ada')
  const second = await room.window('ada')
  const { course, role, permissions } = await first.message('hello')
  expect([role, permissions]).toEqual(['learner', ['view', 'type', 'run', 'navigate', 'replay', 'learn']])
  expect(course).toMatchObject({
    gated: false,
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
  // By the save alone: nobody asked for the check.
  await second.message('task', ({ progress }) => progress.state.state === 'passed')
  await second.message('file-changed', (each) => each.path === 'service.nix' && each.hash === saved.hash)
  second.send({ type: 'save-file', path: 'service.nix', text: 'late', base: hash })
  expect(await second.message('conflict')).toMatchObject({
    yours: 'late',
    theirs: { hash: saved.hash, text: expect.stringContaining('8081') },
  })
})

test('what one learner does is neither told nor shown to another', async () => {
  const other = await room.window('bob')
  const own = await room.window('ada')
  own.send({ type: 'sync', channel: 'page', state: { page: 2 } })
  own.send({ type: 'attach', terminal: 'show' })
  await own.message('snapshot')
  own.send({ type: 'input', terminal: 'show', data: 'pwd\r' })
  await own.shows('show', room.ada.folder)
  own.send({ type: 'skip-task', task: 'header' })
  await own.message('task', ({ task, progress }) => task === 'header' && progress.state.state === 'skipped')
  other.send({ type: 'attach', terminal: 'show' })
  await other.message('snapshot')
  other.send({ type: 'input', terminal: 'show', data: 'pwd; ls\r' })
  await other.shows('show', 'service.nix')
  expect(other.text('show')).toContain(room.bob.folder)
  expect(other.text('show')).not.toContain(room.ada.folder)
  expect(other.messages.filter(({ type }) => !['hello', 'snapshot', 'terminal'].includes(type))).toEqual([])
  other.send({ type: 'open-file', path: 'headers/csp.txt' })
  expect(await other.message('refused')).toMatchObject({ refusal: { kind: 'bad-file' }, path: 'headers/csp.txt' })
})

test('what was refused names the task or the path; a malformed save ends that connection', async () => {
  const own = await room.window('bob')
  own.send({ type: 'check-task', task: 'port' })
  expect(await own.message('refused')).toMatchObject({
    refusal: { kind: 'not-begun' },
    task: 'port',
    message: 'Begin "Another port" first.',
  })
  own.forget()
  own.send({ type: 'save-file', path: '../escape', text: '', base: null })
  expect(await own.message('refused')).toMatchObject({ refusal: { kind: 'bad-file' }, path: '../escape' })
  own.send({ type: 'save-file', path: 'service.nix', text: '', base: 'no hash' })
  expect((await own.closed).code).toBe(4400)
})

test('the changes can be downloaded as a patch, by who they belong to', async () => {
  const { status, text, headers } = await get(PATCH_PATH, `understudy-${room.port}-learner=${TOKENS.ada}`)
  expect([status, headers['content-disposition']]).toEqual([200, 'attachment; filename="changes.patch"'])
  execFileSync('git', ['apply', '--check', '-'], { cwd: room.bob.copy('.'), input: text })
  expect(text).toContain('+  port = 8081;')
  expect((await get(`${PATCH_PATH}?task=header`, `understudy-${room.port}-learner=${TOKENS.ada}`)).text).not.toContain(
    '8081',
  )
  expect((await get(`${PATCH_PATH}?task=port`, `understudy-${room.port}-learner=${TOKENS.bob}`)).status).toBe(404)
  expect((await get(PATCH_PATH, '')).status).toBe(401)
})

test('an edit of a task is taken at once, without another build, and a broken one changes nothing', async () => {
  const own = await room.window('ada')
  await room.ada.write(
    'tasks/header/task.md',
    '---\ntitle: Another title\nteaches: How a file is added\ndepends: [port]\n---\nAdd it.\n',
  )
  const { course } = await own.message('course', ({ course }) => course.tasks[1]?.title === 'Another title')
  expect(course.tasks[1]?.progress.state.state).toBe('skipped')
  expect(own.messages.some((message) => message.type === 'deck' && message.deck.state === 'building')).toBe(false)
  await room.ada.write('tasks/header/task.md', 'no frontmatter')
  const { deck } = await own.message('deck', (message) => message.deck.state === 'broken')
  expect(deck).toMatchObject({
    errors: [expect.stringContaining('tasks/header/task.md:1: must begin with its frontmatter')],
  })
})
