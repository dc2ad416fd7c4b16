import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { lstat, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import type { ProcessRegistry } from './process-registry.ts'
import { PrefixExecutor } from './prefix.ts'
import { identify, type ProcessId } from './process-tree.ts'

/**
 * A container for each learner, by podman or docker. Its programs are those of this machine (/usr, read-only), so that nothing has to be
 * downloaded; its image holds no more than the folders that a system has.
 *
 * Inside it are: the learner's own folder; the Nix store of this machine, read-only, below a layer of the learner's own; and what the caller
 * names. Nothing else of this machine: no home, no other learner, no network, no device, no privilege.
 */

/** What runs containers, as it works on this machine. */
export interface Engine {
  program: 'podman' | 'docker'
  /** Options before the command. */
  flags: string[]
  /** Options of `run`. */
  runFlags: string[]
}

/** What a container may use at most. */
export interface Limits {
  processes: number
  /** MiB; a machine that it boots counts. */
  memory: number
  /** Cores. */
  processors: number
  /** From when it is first opened. */
  hours: number
}
/** A machine of the talk has 1 GB, and QEMU some more; a build a few hundred MB. A course is a day. */
export const LIMITS: Limits = { processes: 512, memory: 2560, processors: 2, hours: 12 }

export interface ContainerOptions {
  /** Of the learner. */
  name: string
  /** Tells the containers of one workshop from those of others. */
  workshop: string
  /** The learner's own: mounted at the same path, and written to. Absolute. */
  folder: string
  /** Where shells begin. Absolute, in the folder. */
  cwd: string
  /** Other paths of this machine that are seen at the same path, and not written to. Absolute. */
  sees: string[]
  env: Record<string, string>
  registry: ProcessRegistry
  limits?: Limits
  /** Whether the network is reached: without one nobody but the server reaches the container. */
  network?: boolean
}

const PROGRAMS = ['podman', 'docker'] as const

/** The folders of a system, and who there is: everything else is mounted. */
const IMAGE = 'localhost/understudy-learner:1'
const LABEL = 'understudy.workshop'

/**
 * Ways to run a container, the plainest first: crun refuses hybrid control groups, systemd may not be there, and limits may only be lowered.
 * docker comes last: its daemon is root, whoever asks.
 */
const WAYS: readonly Engine[] = [
  { program: 'podman', flags: [], runFlags: [] },
  { program: 'podman', flags: ['--cgroup-manager=cgroupfs'], runFlags: [] },
  { program: 'podman', flags: ['--runtime=runc', '--cgroup-manager=cgroupfs'], runFlags: [] },
  {
    program: 'podman',
    flags: ['--runtime=runc', '--cgroup-manager=cgroupfs'],
    runFlags: ['--ulimit=nofile=1024:4096', '--ulimit=nproc=1000:1000'],
  },
  // Whoever has started the server owns the learners' files; by podman the container's root is that user already.
  {
    program: 'docker',
    flags: [],
    runFlags:
      process.getuid && process.getgid && process.getuid() !== 0
        ? [`--user=${process.getuid()}:${process.getgid()}`]
        : [],
  },
]

/** What runs containers where nothing does: Debian's names. */
export const ENGINE_PACKAGES = ['podman', 'runc']

/** What answers here that could run containers: docker's client alone cannot. */
export async function answeringEngines(): Promise<Engine['program'][]> {
  const found: Engine['program'][] = []
  for (const program of PROGRAMS)
    if ((await execa(program, ['version'], { reject: false, stdin: 'ignore' })).exitCode === 0) found.push(program)
  return found
}

/**
 * Finds out how containers run on this machine, by running one.
 *
 * @param programs what may run them, if it answers; absent: whatever answers
 * @throws an Error that says what is missing
 */
export async function findEngine(programs?: readonly Engine['program'][]): Promise<Engine> {
  const there = programs ?? (await answeringEngines())
  if (there.length === 0)
    throw new Error(
      `Learners are kept apart by containers, and no ${PROGRAMS.join(' or ')} answers here: apt-get install ${ENGINE_PACKAGES.join(' ')}. See docs/workshop.md for other ways.`,
    )
  const said: string[] = []
  for (const engine of WAYS.filter(({ program }) => there.includes(program))) {
    try {
      await makeImage(engine)
      await ask(engine, ['run', '--rm', '--network=none', ...engine.runFlags, '--volume=/usr:/usr:ro', IMAGE, 'true'])
      return engine
    } catch (error) {
      said.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error(
    `${there.join(' and ')} ${there.length > 1 ? 'are' : 'is'} here, and no container runs. What was said:\n${[...new Set(said)].join('\n')}`,
  )
}

/** Makes the image, unless it is there: it takes a tenth of a second, and 5 kB. */
async function makeImage(engine: Engine): Promise<void> {
  if (
    (await execa(engine.program, [...engine.flags, 'image', 'inspect', IMAGE], { reject: false, stdin: 'ignore' }))
      .exitCode === 0
  )
    return
  const root = await mkdtemp(join(tmpdir(), 'understudy-image-'))
  try {
    for (const folder of [
      'usr',
      'etc/alternatives',
      'etc/ssl',
      'proc',
      'sys',
      'dev',
      'tmp',
      'run',
      'var/tmp',
      'nix',
      'root',
      'home',
    ])
      await mkdir(join(root, folder), { recursive: true })
    // As this machine has them: links into /usr, on every Debian since 12.
    for (const folder of ['bin', 'sbin', 'lib', 'lib64', 'lib32', 'libx32']) {
      const link = await lstat(`/${folder}`).catch(() => undefined)
      if (link?.isSymbolicLink()) await symlink(await readlink(`/${folder}`), join(root, folder))
    }
    await writeFile(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    )
    await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
    await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n')
    const archive = join(root, '..', `${randomBytes(8).toString('hex')}.tar`)
    try {
      await execa('tar', ['--create', '--owner=0', '--group=0', '--file', archive, '--directory', root, '.'])
      await ask(engine, ['import', archive, IMAGE])
    } finally {
      await rm(archive, { force: true })
    }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/** Removes the containers of a workshop that an earlier server has left. @returns how many there were */
export async function removeLeft(engine: Engine, workshop: string): Promise<number> {
  const { stdout } = await ask(engine, [
    'ps',
    '--all',
    '--quiet',
    '--no-trunc',
    '--filter',
    `label=${LABEL}=${idOf(workshop)}`,
  ])
  const left = stdout.split('\n').filter(Boolean)
  for (const id of left) await remove(engine, id)
  return left.length
}

/**
 * The container of a learner: opened when something is run in it, and anew where it has ended, for as long as the learner has time.
 */
export class Container {
  readonly executor: PrefixExecutor
  private readonly engine: Engine
  private readonly options: ContainerOptions
  /** The first process in it, as this machine knows it. */
  private first: ProcessId | undefined
  private id = ''
  private opening: Promise<void> | undefined
  private timer: NodeJS.Timeout | undefined
  private over: string | undefined

  constructor(engine: Engine, options: ContainerOptions) {
    this.engine = engine
    this.options = options
    const { cwd, env, registry } = options
    this.executor = new PrefixExecutor({
      prefix: (terminal) => [
        engine.program,
        ...engine.flags,
        'exec',
        '--interactive',
        ...(terminal ? ['--tty'] : []),
        this.id,
        'sh',
        '-c',
      ],
      cwd,
      env: { ...env, HOME: '/root' },
      registry,
      here: true,
      ready: () => this.open(),
    })
  }

  /**
   * Opens it, unless it is open. One that was short of memory may have ended by itself.
   *
   * @throws an Error with what the engine says, or that the learner's time is over
   */
  open(): Promise<void> {
    if (this.over !== undefined) return Promise.reject(new Error(this.over))
    if (this.first && identify(this.first.pid)?.start === this.first.start) return Promise.resolve()
    this.opening ??= this.run().finally(() => (this.opening = undefined))
    return this.opening
  }

  private async run(): Promise<void> {
    const { name, workshop, folder, cwd, sees, limits = LIMITS, network = false } = this.options
    const { engine } = this
    const upper = join(folder, 'store', 'upper')
    const work = join(folder, 'store', 'work')
    const home = join(folder, 'home')
    for (const path of [upper, work, home]) await mkdir(path, { recursive: true, mode: 0o700 })
    // Nix wants its store to be as it made it.
    await mkdir(join(upper, 'store'), { recursive: true, mode: 0o775 })
    // The certificates, and not the private keys beside them.
    const seen = ['/etc/alternatives', '/etc/ssl/certs', ...sees].filter((path) => existsSync(path))
    const called = `understudy-${idOf(workshop).slice(0, 8)}-${name}`
    await remove(engine, called)
    const { stdout } = await ask(
      engine,
      [
        'run',
        '--detach',
        '--rm',
        `--name=${called}`,
        `--label=${LABEL}=${idOf(workshop)}`,
        `--hostname=${name}`,
        network ? NETWORK[engine.program] : '--network=none',
        '--cap-drop=all',
        '--security-opt=no-new-privileges',
        '--read-only',
        '--tmpfs=/tmp:mode=1777,size=1g',
        '--tmpfs=/var/tmp:mode=1777,size=1g',
        `--pids-limit=${limits.processes}`,
        `--memory=${limits.memory}m`,
        `--memory-swap=${limits.memory}m`,
        `--cpus=${limits.processors}`,
        ...engine.runFlags,
        '--volume=/usr:/usr:ro',
        ...seen.map((path) => `--volume=${path}:${path}:ro`),
        ...(existsSync('/nix/store') ? [layered(engine, upper, work)] : []),
        `--volume=${cwd}:${cwd}`,
        `--volume=${home}:/root`,
        IMAGE,
        // Reaps what is left without a parent, and ends at once.
        ...['bash', '-c', 'trap exit TERM; while :; do sleep 86400 & wait $!; done'],
      ],
      folder,
    )
    this.id = stdout.trim().split('\n').at(-1) ?? ''
    const { stdout: pid } = await ask(engine, ['inspect', '--format', '{{.State.Pid}}', this.id])
    this.first = identify(Number(pid))
    this.timer ??= setTimeout(() => {
      this.over = `The time of ${name} in this workshop is over: ${limits.hours} hours. The files are kept. Whoever gives the workshop can start it again.`
      void this.remove().catch(() => {})
    }, limits.hours * 3_600_000).unref()
  }

  /** Ends it with everything in it, for good; the learner's folder stays. */
  async end(): Promise<void> {
    this.over ??= 'The workshop has ended.'
    clearTimeout(this.timer)
    await this.opening?.catch(() => {})
    await this.executor.close()
    await this.remove()
  }

  private async remove(): Promise<void> {
    if (this.id !== '') await remove(this.engine, this.id)
  }
}

/** A label, and a name, must not tell of folders. */
const idOf = (workshop: string) => createHash('sha256').update(workshop).digest('hex').slice(0, 24)

const NETWORK = { podman: '--network=slirp4netns', docker: '--network=bridge' } as const

/** This machine's /nix, and a layer above it that takes what is written (overlayfs). */
function layered({ program }: Engine, upper: string, work: string): string {
  if (program === 'podman') return `--volume=/nix:/nix:O,upperdir=${upper},workdir=${work}`
  // A volume without a name, which goes with its container. Commas part the options of a mount, so that one is quoted.
  return `--mount=type=volume,destination=/nix,volume-nocopy,volume-driver=local,volume-opt=type=overlay,volume-opt=device=overlay,"volume-opt=o=lowerdir=/nix,upperdir=${upper},workdir=${work}"`
}

/** Ends a container at once, with its volumes. One that is not there is gone already. */
async function remove(engine: Engine, container: string): Promise<void> {
  await ask(engine, [
    'rm',
    '--force',
    '--volumes',
    ...(engine.program === 'podman' ? ['--time=0'] : []),
    container,
  ]).catch((error: Error) => {
    if (!/no such container|already in progress|no container with/i.test(error.message)) throw error
  })
}

/** @param cwd where podman's monitor leaves a file once memory was short */
async function ask({ program, flags }: Engine, args: string[], cwd = '/'): Promise<{ stdout: string }> {
  const { exitCode, stdout, stderr } = await execa(program, [...flags, ...args], {
    reject: false,
    stdin: 'ignore',
    cwd,
  })
  if (exitCode === 0) return { stdout }
  throw new Error(`${program} ${args[0]}: ${stderr.trim().split('\n').at(-1) ?? `exit status ${exitCode}`}`)
}
