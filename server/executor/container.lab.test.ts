import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { noContainers } from '../test/containers.ts'
import { Session } from '../terminal/session.ts'
import { Container, type ContainerLimits, type Engine, findEngine, removeContainers } from './container.ts'
import type { ScriptResult } from './executor.ts'
import { ProcessRegistry } from './process-registry.ts'

/** Two learners on one machine, each in a container. */
const missing = await noContainers()

const WAIT = { timeout: 20_000 }

describe.skipIf(missing)(`containers${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let folder: string
  let engine: Engine
  let ada: Container
  let bob: Container

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-containers-'))
    engine = await findEngine(process.env.UNDERSTUDY_TEST_ENGINE === 'docker' ? ['docker'] : undefined)
    ada = await startContainer('ada')
    bob = await startContainer('bob')
  })
  afterAll(async () => {
    for (const container of [ada, bob]) await container.end()
    await rm(folder, { recursive: true, force: true })
  })

  async function startContainer(name: string, limits: Partial<ContainerLimits> = {}): Promise<Container> {
    const own = join(folder, name)
    await mkdir(join(own, 'copy'), { recursive: true })
    await writeFile(join(own, 'copy', 'owner'), `file of ${name}`)
    const container = new Container(engine, {
      name,
      workshop: folder,
      folder: own,
      cwd: join(own, 'copy'),
      readOnlyPaths: [],
      env: { PATH: '/usr/bin:/bin' },
      registry: new ProcessRegistry(join(folder, 'processes')),
      limits: { processes: 64, memoryMiB: 256, cores: 1, hours: 1, ...limits },
    })
    await container.start()
    return container
  }
  const run = (container: Container, script: string, timeoutSeconds = 20): Promise<ScriptResult> =>
    container.executor.script(script, timeoutSeconds)

  test('a learner can write to their own workspace', async () => {
    expect((await run(ada, 'cat owner; echo changed > owner')).stdout).toBe('file of ada')
    expect(await readFile(join(folder, 'ada/copy/owner'), 'utf8')).toBe('changed\n')
  })

  test('a container does not show files of another learner or of this machine', async () => {
    expect((await run(bob, 'cat owner')).stdout).toBe('file of bob')
    const { stdout } = await run(bob, `exec 2>&1; cat ${join(folder, 'ada/copy/owner')}; ls ${folder} /home /root`)
    expect(stdout).toMatch(/No such file[\s\S]*:\nbob$/)
    expect((await run(bob, 'ls -A /root /home /var /etc | tr "\\n" " "')).stdout).not.toMatch(/ssh|shadow|cache/)
    expect((await run(bob, 'ls -A /etc/ssl | tr "\\n" " "')).stdout).toBe('certs')
  })

  test("a file added to a learner's store is absent from other stores and from this machine's", async () => {
    const { exit, output } = await run(
      ada,
      'test -d /nix/store || exit 0; echo secret > /nix/store/of-ada && cat /nix/store/of-ada',
    )
    expect([exit, output]).toEqual([0, expect.stringMatching(/^(secret)?$/)])
    expect((await run(bob, 'cat /nix/store/of-ada')).exit).not.toBe(0)
    expect(await readdir('/nix/store').catch(() => [])).not.toContain('of-ada')
  })

  test("a container does not show another's processes, terminals or network", async () => {
    const session = new Session({ name: 'ada', cols: 80, rows: 24, executor: ada.executor })
    try {
      await session.start()
      const running = session.run('step', 'sleep 54321')
      const { output } = await run(
        bob,
        'for d in /proc/[0-9]*; do tr "\\0" " " < $d/cmdline; echo; done; ls /dev/pts; ls /sys/class/net',
      )
      expect(output).not.toContain('54321')
      expect(output).toMatch(/ptmx\nlo$/)
      session.interrupt()
      expect((await running).exit).toBe(130)
    } finally {
      await session.end()
    }
  })

  test('a step reports its exit status', async () => {
    const session = new Session({ name: 'bob', cols: 80, rows: 24, executor: bob.executor })
    try {
      await session.start()
      expect((await session.run('step', '(exit 3)')).exit).toBe(3)
    } finally {
      await session.end()
    }
  })

  test('ending a session ends its background processes', async () => {
    const session = new Session({ name: 'bob', cols: 80, rows: 24, executor: bob.executor })
    await session.start()
    await session.run('step', 'setsid nohup sleep 54322 >/dev/null 2>&1 & sleep 0.2')
    expect((await run(bob, 'pgrep -fx "sleep 54322"')).exit).toBe(0)
    await session.end()
    await vi.waitFor(async () => expect((await run(bob, 'pgrep -fx "sleep 54322"')).exit).not.toBe(0), WAIT)
  })

  test('a container that exhausts its processes or its memory recovers without affecting others', async () => {
    const forkBomb = run(ada, 'fork() { fork | fork & sleep 5; }; fork 2>&1 | head -c 200; echo over', 8)
    const memoryHog = run(bob, 'tail /dev/zero; echo "killed: $?"')
    expect((await memoryHog).output).toMatch(/killed: 137|Killed|memory/)
    expect((await run(bob, 'echo still here')).stdout).toBe('still here')
    await forkBomb
    await vi.waitFor(async () => expect((await run(ada, 'echo again')).stdout).toBe('again'), WAIT)
  })

  test('a removed container starts again with the same files when something is run in it', async () => {
    await run(bob, 'echo kept > kept')
    expect(await removeContainers(engine, folder)).toBe(2)
    expect(await run(bob, 'cat kept')).toMatchObject({ exit: 0, stdout: 'kept' })
    expect((await run(ada, 'pwd')).stdout).toBe(join(folder, 'ada/copy'))
  })

  test('a container past its time limit refuses scripts and shells and keeps the files', async () => {
    const late = await startContainer('late', { hours: 0.5 / 3600 })
    await vi.waitFor(
      async () => expect((await run(late, 'true')).output).toMatch(/^The environment of learner "late" has reached/),
      WAIT,
    )
    const session = new Session({ name: 'late', cols: 80, rows: 24, executor: late.executor })
    await expect(session.start()).rejects.toThrow('time limit')
    expect(await readFile(join(folder, 'late/copy/owner'), 'utf8')).toBe('file of late')
    await late.end()
  })

  test('a forwarded port is reachable from this machine but not from another container', async () => {
    const controller = new AbortController()
    const serving = ada.executor.script(
      `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 8080, Listen => 5, ReuseAddr => 1); while ($c = $s->accept) { <$c>; print $c "HTTP/1.0 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nada!"; close $c }'`,
      60,
      controller.signal,
    )
    const port = await ada.executor.forward(8080)
    await vi.waitFor(async () => expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('ada!'), WAIT)
    expect((await run(bob, 'exec 3<>/dev/tcp/127.0.0.1/8080')).exit).not.toBe(0)
    controller.abort()
    await serving
  })

  test('removeContainers removes only the containers of its workshop that still exist', async () => {
    const ended = await startContainer('third')
    expect(await removeContainers(engine, `${folder}-other`)).toBe(0)
    await ended.end()
    await startContainer('fourth')
    // The containers of ada, bob and fourth.
    expect(await removeContainers(engine, folder)).toBe(3)
  })
})
