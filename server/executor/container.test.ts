import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Session } from '../terminal/session.ts'
import { Container, type Engine, findEngine, type Limits, removeLeft } from './container.ts'
import { ProcessRegistry } from './process-registry.ts'
import { noContainers } from '../test/containers.ts'

/** Two learners on one machine, each in a container. */
const missing = await noContainers()

describe.skipIf(missing)(`containers${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let folder: string
  let engine: Engine
  const learners: Record<'ada' | 'bob', Container> = {} as never

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-containers-'))
    engine = await findEngine(process.env.UNDERSTUDY_TEST_ENGINE === 'docker' ? ['docker'] : undefined)
    for (const name of ['ada', 'bob'] as const) learners[name] = await open(name)
  })
  afterAll(async () => {
    for (const container of Object.values(learners)) await container.end()
    await rm(folder, { recursive: true, force: true })
  })

  async function open(name: string, limits: Partial<Limits> = {}): Promise<Container> {
    const own = join(folder, name)
    await mkdir(join(own, 'copy'), { recursive: true })
    await writeFile(join(own, 'copy', 'mine'), `of ${name}`)
    const container = new Container(engine, {
      name,
      workshop: folder,
      folder: own,
      cwd: join(own, 'copy'),
      sees: [],
      env: { PATH: '/usr/bin:/bin' },
      registry: new ProcessRegistry(join(folder, 'processes')),
      limits: { processes: 64, memory: 256, processors: 1, hours: 1, ...limits },
    })
    await container.open()
    return container
  }
  const inside = (who: keyof typeof learners, script: string, seconds = 20) =>
    learners[who].executor.script(script, seconds)

  test('each has a copy of their own to write in, and cannot see that of another, nor this machine’s', async () => {
    expect((await inside('ada', 'cat mine; echo changed > mine')).value).toBe('of ada')
    expect(await readFile(join(folder, 'ada/copy/mine'), 'utf8')).toBe('changed\n')
    expect((await inside('bob', 'cat mine')).value).toBe('of bob')
    expect(
      (await inside('bob', `exec 2>&1; cat ${join(folder, 'ada/copy/mine')}; ls ${folder} /home /root`)).value,
    ).toMatch(/No such file[\s\S]*:\nbob$/)
    expect((await inside('bob', 'ls -A /root /home /var /etc | tr "\\n" " "')).value).not.toMatch(/ssh|shadow|cache/)
    expect((await inside('bob', 'ls -A /etc/ssl | tr "\\n" " "')).value).toBe('certs')
  })

  test('what one puts into the store is in nobody else’s, nor in that of this machine', async () => {
    const { exit, output } = await inside(
      'ada',
      'test -d /nix/store || exit 0; echo secret > /nix/store/of-ada && cat /nix/store/of-ada',
    )
    expect([exit, output]).toEqual([0, expect.stringMatching(/^(secret)?$/)])
    expect((await inside('bob', 'cat /nix/store/of-ada')).exit).not.toBe(0)
    expect(await readdir('/nix/store').catch(() => [])).not.toContain('of-ada')
  })

  test('neither sees the other’s processes or terminals, nor reaches anything over a network', async () => {
    const session = new Session({ name: 'ada', cols: 80, rows: 24, executor: learners.ada.executor })
    try {
      await session.start()
      const running = session.run('step', 'sleep 54321')
      const bobs = await inside(
        'bob',
        'for d in /proc/[0-9]*; do tr "\\0" " " < $d/cmdline; echo; done; ls /dev/pts; ls /sys/class/net',
      )
      expect(bobs.output).not.toContain('54321')
      expect(bobs.output).toMatch(/ptmx\nlo$/)
      session.interrupt()
      expect((await running).exit).toBe(130)
    } finally {
      await session.end()
    }
  })

  test('a step ends with its exit status, and what it leaves in the background ends with its session', async () => {
    const session = new Session({ name: 'bob', cols: 80, rows: 24, executor: learners.bob.executor })
    await session.start()
    expect((await session.run('step', '(exit 3)')).exit).toBe(3)
    await session.run('left', 'setsid nohup sleep 54322 >/dev/null 2>&1 & sleep 0.2')
    expect((await inside('bob', 'pgrep -fx "sleep 54322"')).exit).toBe(0)
    await session.end()
    await vi.waitFor(async () => expect((await inside('bob', 'pgrep -fx "sleep 54322"')).exit).not.toBe(0), {
      timeout: 20_000,
    })
  })

  test('one that starts processes without end, or takes all memory, hurts nobody but itself', async () => {
    const flood = inside('ada', 'fork() { fork | fork & sleep 5; }; fork 2>&1 | head -c 200; echo over', 8)
    const hog = inside('bob', 'tail /dev/zero; echo "killed: $?"', 20)
    // This machine, and the other learner, go on.
    expect(spawnSync('true').status).toBe(0)
    expect((await hog).output).toMatch(/killed: 137|Killed|memory/)
    expect((await inside('bob', 'echo still here')).value).toBe('still here')
    await flood
    await vi.waitFor(async () => expect((await inside('ada', 'echo again')).value).toBe('again'), { timeout: 15_000 })
  })

  test('one that was ended from outside is opened anew by what is run in it next, with the same files', async () => {
    await learners.bob.executor.script('echo kept > kept', 20)
    expect(await removeLeft(engine, folder)).toBe(2)
    expect(await inside('bob', 'cat kept')).toMatchObject({ exit: 0, value: 'kept' })
    expect((await inside('ada', 'pwd')).value).toBe(join(folder, 'ada/copy'))
  })

  test('a learner whose time is over is told so, and keeps the files', async () => {
    const late = await open('late', { hours: 0.5 / 3600 })
    await vi.waitFor(
      async () =>
        expect((await late.executor.script('true', 20)).output).toMatch(/^The time of late in this workshop is over/),
      { timeout: 20_000 },
    )
    await expect(new Session({ name: 'late', cols: 80, rows: 24, executor: late.executor }).start()).rejects.toThrow(
      /is over/,
    )
    expect(await readFile(join(folder, 'late/copy/mine'), 'utf8')).toBe('of late')
    await late.end()
  })

  test('a port inside is reached from this machine, and from no other container', async () => {
    const over = new AbortController()
    const serving = learners.ada.executor.script(
      `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 8080, Listen => 5, ReuseAddr => 1); while ($c = $s->accept) { <$c>; print $c "HTTP/1.0 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nada!"; close $c }'`,
      60,
      over.signal,
    )
    const port = await learners.ada.executor.forward(8080)
    await vi.waitFor(async () => expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('ada!'), {
      timeout: 20_000,
    })
    expect((await inside('bob', 'exec 3<>/dev/tcp/127.0.0.1/8080')).exit).not.toBe(0)
    over.abort()
    await serving
  })

  test('what a server that was killed has left is removed, and a container that has ended leaves nothing', async () => {
    const third = await open('third')
    expect(await removeLeft(engine, `${folder}-other`)).toBe(0)
    await third.end()
    await open('fourth')
    // Those of this test's learners are of the same workshop.
    expect(await removeLeft(engine, folder)).toBe(3)
  })
})
