import { describeRefusal } from '../../shared/failures/refusal.ts'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { TestWindow } from '../test/talk.ts'
import { TestClass } from '../test/workshop.ts'
import type { ClassInfo } from '../../shared/protocol/class.ts'

let room: TestClass
beforeAll(async () => {
  room = await TestClass.make({ withTalk: true })
})
afterAll(() => room.close())

/** Waits until the class, as the instructor sees it now, has a learner so. */
const place = (instructor: TestWindow, name: string, fits: (place: ClassInfo['learners'][number]) => boolean) =>
  vi.waitFor(
    () => {
      const last = instructor.messages.findLast((message) => message.type === 'class')
      const found = last?.class.learners.find((each) => each.name === name)
      if (!found || !fits(found)) throw new Error(`not yet: ${JSON.stringify(found)}`)
    },
    { timeout: 30_000, interval: 10 },
  )

test('the instructor sees who is there, and how far each is, as it changes', async () => {
  const instructor = await room.window('presenter')
  await place(instructor, 'ada', ({ windows, states }) => windows === 0 && states.port?.state === 'open')
  const learner = await room.window('ada')
  await place(instructor, 'ada', ({ windows }) => windows === 1)
  learner.send({ type: 'begin-task', task: 'port' })
  await place(instructor, 'ada', ({ states }) => states.port?.state === 'begun')
  await place(instructor, 'bob', ({ states, windows }) => states.port?.state === 'open' && windows === 0)
  learner.socket.terminate()
  await place(instructor, 'ada', ({ windows }) => windows === 0)
})

test('a note reaches its learner and nobody else, also one who comes later, until it is read', async () => {
  const instructor = await room.window('presenter')
  const bobs = await room.window('bob')
  instructor.send({ type: 'send-note', learner: 'ada', text: 'Look at line 3.' })
  const adas = await room.window('ada')
  expect((await adas.message('seat', ({ seat }) => seat.notes.length > 0)).seat.notes.map(({ text }) => text)).toEqual([
    'Look at line 3.',
  ])
  adas.send({ type: 'read-notes' })
  await adas.message('seat', ({ seat }) => seat.notes.length === 0)
  expect(bobs.messages.some((message) => message.type === 'seat' && message.seat.notes.length > 0)).toBe(false)
  for (const each of [adas, bobs]) each.socket.terminate()
})

test('the instructor looks at a terminal at once, and types in it only after its learner has agreed, and until one of them ends it', async () => {
  const adas = await room.window('ada')
  adas.send({ type: 'attach', terminal: 'show' })
  adas.send({ type: 'input', terminal: 'show', data: 'echo "ada was here"\r' })
  const looking = await room.window('presenter', 'ada')
  expect(await looking.message('hello')).toMatchObject({ role: 'instructor', permissions: ['view', 'teach'] })
  looking.send({ type: 'attach', terminal: 'show' })
  await looking.shows('show', 'ada was here')

  looking.send({ type: 'input', terminal: 'show', data: 'touch forced\r' })
  expect((await looking.message('refused')).refusal.kind).toBe('not-allowed')
  looking.send({ type: 'ask-join', learner: 'ada' })
  await adas.message('seat', ({ seat }) => seat.join === 'asked')
  adas.send({ type: 'answer-join', agree: true })
  expect((await looking.message('permissions')).permissions).toEqual(['view', 'teach', 'type', 'run'])
  looking.send({ type: 'input', terminal: 'show', data: 'echo together > joined\r' })
  await vi.waitFor(async () => expect(await readFile(room.ada.copy('joined'), 'utf8')).toBe('together\n'), {
    timeout: 20_000,
  })

  // The other's files are not the instructor's to change through the course.
  looking.forget()
  looking.send({ type: 'save-file', path: 'service.nix', text: 'x', base: null })
  expect((await looking.message('refused')).refusal.kind).toBe('not-allowed')

  adas.send({ type: 'answer-join', agree: false })
  expect(
    (await looking.message('permissions', ({ permissions }) => !permissions.includes('type'))).permissions,
  ).toEqual(['view', 'teach'])
  looking.forget()
  looking.send({ type: 'input', terminal: 'show', data: 'touch forced\r' })
  await looking.message('refused')
  await expect(readFile(room.ada.copy('forced'))).rejects.toThrow('ENOENT')
  adas.socket.terminate()
})

test('a learner can neither look at another nor do what the instructor does', async () => {
  const bobs = room.connect('bob', 'ada')
  expect(await bobs.message('hello')).toMatchObject({ role: 'learner' })
  bobs.send({ type: 'attach', terminal: 'show' })
  await bobs.message('snapshot')
  expect(bobs.text('show')).not.toContain('ada was here')
  for (const type of ['ask-join', 'end-terminals', 'reset-learner'] as const) {
    bobs.forget()
    bobs.send({ type, learner: 'ada' })
    expect((await bobs.message('refused')).refusal.kind, type).toBe('not-allowed')
  }
  bobs.socket.terminate()
})

test('the instructor ends what runs in a learner’s terminals, and makes the files what they were', async () => {
  const instructor = await room.window('presenter')
  const adas = await room.window('ada')
  adas.send({ type: 'attach', terminal: 'show' })
  adas.send({ type: 'input', terminal: 'show', data: 'echo broken > service.nix; sleep 4322\r' })
  await place(instructor, 'ada', ({ busy }) => busy.includes('show'))
  instructor.send({ type: 'end-terminals', learner: 'ada' })
  await place(instructor, 'ada', ({ busy }) => busy.length === 0)
  expect(await readFile(room.ada.copy('service.nix'), 'utf8')).toBe('broken\n')
  instructor.send({ type: 'reset-learner', learner: 'ada' })
  await vi.waitFor(async () => expect(await readFile(room.ada.copy('service.nix'), 'utf8')).toContain('port = 80'), {
    timeout: 20_000,
  })
})

test('who has no window open cannot be asked', async () => {
  const looking = await room.window('presenter', 'bob')
  looking.send({ type: 'ask-join', learner: 'bob' })
  expect(describeRefusal((await looking.message('refused')).refusal)).toContain('nobody to ask')
  expect((await room.connect('presenter', 'nobody').closed).reason).toContain('no such learner')
})
