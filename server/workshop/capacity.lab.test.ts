import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readDeck } from '../deck/deck.ts'
import { Container, findEngine } from '../executor/container.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { hostProfile } from '../environment/profile.ts'
import { noContainers } from '../test/containers.ts'
import { FILES, TestWorkshop } from '../test/workshop.ts'
import { admit, knownNeed, measureNeed, type Need } from './capacity.ts'
import { copyIn, Learner } from './learner.ts'

const missing = await noContainers()

const need: Need = { task: 'An image', memory: 460, processor: 10, disk: 100 }

test('a class that the machine carries is let in, and one that it does not is refused with the figures of what is short', () => {
  const machine = { memory: 1024 + 20 * 500, processors: 8, disk: 2048 + 30 * 1000 }
  expect(admit(20, need, machine, 10)).toBe(
    'This machine carries 20 learners. A learner takes 460 MiB of memory, 10.0 s of a core and 100 MiB on the disk for "An image"; that is memory for 20, processors for 48 (each check done within 60 s, were all to check at once) and disk for 30.',
  )
  expect(() => admit(21, need, machine, 10)).toThrow(
    /^This machine carries 20 learners, not 21\. .*memory for 20.* Use --learners 20, a larger machine, or others by --command-prefix/,
  )
  expect(() => admit(13, need, { ...machine, processors: 2 }, 10)).toThrow('This machine carries 12 learners, not 13.')
  expect(() => admit(1, need, { ...machine, disk: 100 }, 10)).toThrow(
    /carries 0 learners, not 1.* Use a larger machine/,
  )
})

test.skipIf(missing)(
  `what a learner takes is measured by a task that is done for real${missing ? ` (skipped: ${missing})` : ''}`,
  async () => {
    // Its check holds 100 MB for a while, and computes for about a second.
    const check = `[ "$(sed -n 's/.*port = \\(.*\\);/\\1/p' service.nix)" = 8081 ] || { echo 'FAIL: another port'; exit 1; }
perl -e 'my $held = "x" x 1e8; my $end = time + 2; while (time < $end) {}'`
    const workshop = await TestWorkshop.make({
      'tasks/port/check': check,
      'tasks/port/task.md': FILES['tasks/port/task.md'].replace('20s', '60s'),
    })
    const folder = join(workshop.folder, 'trial')
    const deck = await readDeck(join(workshop.folder, 'slides.md'))
    const container = new Container(await findEngine(), {
      name: 'trial',
      workshop: workshop.folder,
      folder,
      cwd: copyIn(folder),
      readOnlyPaths: [],
      env: { PATH: '/usr/bin:/bin' },
      registry: new ProcessRegistry(join(workshop.folder, 'processes')),
    })
    const learner = await Learner.open({
      name: 'trial',
      folder,
      deck,
      flake: join(workshop.folder, 'nix'),
      profile: hostProfile(),
      executor: container.executor,
      gated: false,
    })
    try {
      const measured = await measureNeed(deck, learner, container.executor, folder)
      expect(measured.task).toBe('Another port')
      expect(measured.memory).toBeGreaterThan(95)
      expect(measured.memory).toBeLessThan(400)
      expect(measured.processor).toBeGreaterThan(0.5)
      expect(measured.processor).toBeLessThan(20)
    } finally {
      await learner.end()
      await container.end()
      await workshop.close()
    }
  },
)

test('what was measured is asked for once, until another deck or machine asks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-need-'))
  const file = join(folder, 'cache', 'need.json')
  let times = 0
  const measure = async () => ({ ...need, disk: ++times })
  expect((await knownNeed(file, 'one', measure)).disk).toBe(1)
  expect((await knownNeed(file, 'one', measure)).disk).toBe(1)
  expect((await knownNeed(file, 'another', measure)).disk).toBe(2)
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ of: 'another' })
  await rm(folder, { recursive: true })
})
