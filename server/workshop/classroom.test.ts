import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ClassInfo } from '../../shared/protocol/class.ts'
import type { TestWindow } from '../test/talk.ts'
import { TestClass } from '../test/workshop.ts'

let testClass: TestClass
beforeAll(async () => {
  testClass = await TestClass.create({ withInstructor: true })
})
afterAll(() => testClass.close())

/** Waits until an instructor's window has received a class in which a learner meets the condition. */
const waitForLearner = (
  instructor: TestWindow,
  name: string,
  condition: (learner: ClassInfo['learners'][number]) => boolean,
) =>
  vi.waitFor(
    () => {
      const last = instructor.messages.findLast((message) => message.type === 'class')
      const learner = last?.class.learners.find((each) => each.name === name)
      if (!learner || !condition(learner)) throw new Error(`condition not met: ${JSON.stringify(learner)}`)
    },
    { timeout: 30_000, interval: 10 },
  )

test('the instructor receives the windows and task states of each learner as they change', async () => {
  const instructor = await testClass.window('presenter')
  await waitForLearner(instructor, 'ada', ({ windows, states }) => windows === 0 && states.port?.state === 'open')
  const learner = await testClass.window('ada')
  await waitForLearner(instructor, 'ada', ({ windows }) => windows === 1)
  learner.send({ type: 'begin-task', task: 'port' })
  await waitForLearner(instructor, 'ada', ({ states }) => states.port?.state === 'begun')
  await waitForLearner(instructor, 'bob', ({ states, windows }) => states.port?.state === 'open' && windows === 0)
  learner.socket.terminate()
  await waitForLearner(instructor, 'ada', ({ windows }) => windows === 0)
})

test('a note is sent only to its learner, and remains until the learner dismisses it', async () => {
  const instructor = await testClass.window('presenter')
  const bob = await testClass.window('bob')
  instructor.send({ type: 'send-note', learner: 'ada', text: 'Look at line 3.' })
  const ada = await testClass.window('ada')
  const { membership } = await ada.message('membership', ({ membership }) => membership.notes.length > 0)
  expect(membership.notes.map(({ text }) => text)).toEqual(['Look at line 3.'])
  ada.send({ type: 'read-notes' })
  await ada.message('membership', ({ membership }) => membership.notes.length === 0)
  const bobHasNotes = bob.messages.some(
    (message) => message.type === 'membership' && message.membership.notes.length > 0,
  )
  expect(bobHasNotes).toBe(false)
  for (const window of [ada, bob]) window.socket.terminate()
})

test('the instructor sees a learner’s terminal, and can type in it only while the learner allows it', async () => {
  const ada = await testClass.window('ada')
  ada.send({ type: 'attach', terminal: 'show' })
  ada.send({ type: 'input', terminal: 'show', data: 'echo "ada was here"\r' })
  const instructor = await testClass.window('presenter', 'ada')
  expect(await instructor.message('hello')).toMatchObject({ role: 'instructor', permissions: ['view', 'teach'] })
  instructor.send({ type: 'attach', terminal: 'show' })
  await instructor.shows('show', 'ada was here')

  instructor.send({ type: 'input', terminal: 'show', data: 'touch forced\r' })
  expect((await instructor.message('refused')).refusal.kind).toBe('not-allowed')
  instructor.send({ type: 'ask-join', learner: 'ada' })
  await ada.message('membership', ({ membership }) => membership.join === 'asked')
  ada.send({ type: 'answer-join', agree: true })
  expect((await instructor.message('permissions')).permissions).toEqual(['view', 'teach', 'type', 'run'])
  instructor.send({ type: 'input', terminal: 'show', data: 'echo together > joined\r' })
  await vi.waitFor(async () => expect(await readFile(testClass.ada.file('joined'), 'utf8')).toBe('together\n'), {
    timeout: 20_000,
  })

  // The consent covers terminals, not the files of the course.
  instructor.forget()
  instructor.send({ type: 'save-file', path: 'service.nix', text: 'x', base: null })
  expect((await instructor.message('refused')).refusal.kind).toBe('not-allowed')

  ada.send({ type: 'answer-join', agree: false })
  const revoked = await instructor.message('permissions', ({ permissions }) => !permissions.includes('type'))
  expect(revoked.permissions).toEqual(['view', 'teach'])
  instructor.forget()
  instructor.send({ type: 'input', terminal: 'show', data: 'touch forced\r' })
  await instructor.message('refused')
  await expect(readFile(testClass.ada.file('forced'))).rejects.toThrow('ENOENT')
  ada.socket.terminate()
})

test('a learner can neither view another learner nor send an instructor’s messages', async () => {
  const bob = testClass.connect('bob', 'ada')
  expect(await bob.message('hello')).toMatchObject({ role: 'learner' })
  bob.send({ type: 'attach', terminal: 'show' })
  await bob.message('snapshot')
  expect(bob.text('show')).not.toContain('ada was here')
  for (const type of ['ask-join', 'end-terminals', 'reset-learner'] as const) {
    bob.forget()
    bob.send({ type, learner: 'ada' })
    expect((await bob.message('refused')).refusal.kind, type).toBe('not-allowed')
  }
  bob.socket.terminate()
})

test('the instructor can stop a learner’s terminals and reset the files', async () => {
  const instructor = await testClass.window('presenter')
  const ada = await testClass.window('ada')
  ada.send({ type: 'attach', terminal: 'show' })
  ada.send({ type: 'input', terminal: 'show', data: 'echo broken > service.nix; sleep 4322\r' })
  await waitForLearner(instructor, 'ada', ({ busy }) => busy.includes('show'))
  instructor.send({ type: 'end-terminals', learner: 'ada' })
  await waitForLearner(instructor, 'ada', ({ busy }) => busy.length === 0)
  expect(await readFile(testClass.ada.file('service.nix'), 'utf8')).toBe('broken\n')
  instructor.send({ type: 'reset-learner', learner: 'ada' })
  await vi.waitFor(
    async () => expect(await readFile(testClass.ada.file('service.nix'), 'utf8')).toContain('port = 80'),
    { timeout: 20_000 },
  )
})

test('a request to join is refused while the learner has no open window', async () => {
  const instructor = await testClass.window('presenter', 'bob')
  instructor.send({ type: 'ask-join', learner: 'bob' })
  expect(await instructor.message('refused')).toMatchObject({
    refusal: { kind: 'learner-offline', learner: 'bob' },
  })
})

test('a link to an unknown learner is rejected', async () => {
  expect((await testClass.connect('presenter', 'nobody').closed).reason).toContain('no such learner')
})
