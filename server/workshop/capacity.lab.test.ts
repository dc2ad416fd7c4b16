import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readDeck } from '../deck/deck.ts'
import { hostProfile } from '../environment/profile.ts'
import { Container, findEngine } from '../executor/container.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { noContainers } from '../test/containers.ts'
import { FILES, TestWorkshop } from '../test/workshop.ts'
import { cachedUsage, checkCapacity, measureUsage, type ResourceUsage } from './capacity.ts'
import { Learner, workspaceIn } from './learner.ts'

const missing = await noContainers()

const usage: ResourceUsage = { task: 'An image', memory: 460, processor: 10, disk: 100 }
const machine = { memory: 1024 + 20 * 500, processors: 8, disk: 2048 + 30 * 1000 }

test('checkCapacity accepts a class that fits and returns the figures', () => {
  expect(checkCapacity(20, usage, machine, 10)).toBe(
    'This machine has capacity for 20 learners. One learner uses 460 MiB of memory, 10.0 s of CPU time and 100 MiB of disk space for "An image". Memory is sufficient for 20, CPU for 48 (simultaneous checks finish within 60 s) and disk space for 30.',
  )
})

test('checkCapacity refuses a class that is too large for the memory, CPU or disk', () => {
  expect(() => checkCapacity(21, usage, machine, 10)).toThrow(
    /^This machine has capacity for 20 learners, not 21\. .*Memory is sufficient for 20.* Use --learners 20, a larger machine, or run the learners' shells on other machines with --command-prefix/,
  )
  expect(() => checkCapacity(13, usage, { ...machine, processors: 2 }, 10)).toThrow('for 12 learners, not 13.')
  expect(() => checkCapacity(1, usage, { ...machine, disk: 100 }, 10)).toThrow(
    /for 0 learners, not 1.* Use a larger machine or run/,
  )
})

test.skipIf(missing)(
  `measureUsage measures the check of a real task in a container${missing ? ` (skipped: ${missing})` : ''}`,
  async () => {
    // The check allocates 100 MB of memory and uses the CPU for one to two seconds.
    const check = `[ "$(sed -n 's/.*port = \\(.*\\);/\\1/p' service.nix)" = 8081 ] || { echo 'FAIL: another port'; exit 1; }
perl -e 'my $held = "x" x 1e8; my $end = time + 2; while (time < $end) {}'`
    const workshop = await TestWorkshop.create({
      'tasks/port/check': check,
      'tasks/port/task.md': FILES['tasks/port/task.md'].replace('20s', '60s'),
    })
    const folder = join(workshop.folder, 'trial')
    const deck = await readDeck(join(workshop.folder, 'slides.md'))
    const container = new Container(await findEngine(), {
      name: 'trial',
      workshop: workshop.folder,
      folder,
      cwd: workspaceIn(folder),
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
      sequential: false,
    })
    try {
      const measured = await measureUsage(deck, learner, container.executor, folder)
      expect(measured.task).toBe('Another port')
      expect(measured.memory).toBeGreaterThan(95)
      expect(measured.memory).toBeLessThan(400)
      expect(measured.processor).toBeGreaterThan(0.5)
      expect(measured.processor).toBeLessThan(20)
    } finally {
      await learner.close()
      await container.end()
      await workshop.close()
    }
  },
)

test('cachedUsage measures again only for a new key', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-usage-'))
  const file = join(folder, 'cache', 'usage.json')
  let measurements = 0
  const measure = () => Promise.resolve({ ...usage, disk: ++measurements })
  expect((await cachedUsage(file, 'one', measure)).disk).toBe(1)
  expect((await cachedUsage(file, 'one', measure)).disk).toBe(1)
  expect((await cachedUsage(file, 'another', measure)).disk).toBe(2)
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ key: 'another' })
  await rm(folder, { recursive: true })
})
