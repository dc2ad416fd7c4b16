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
 * Runs a container for each learner with podman or docker. The programs in it are this machine's (/usr, read-only), so
 * no download is required; the image consists of empty system folders.
 *
 * A container sees the learner's own folder, this machine's Nix store (read-only, below a writable layer of the
 * learner's own), and the paths in `readOnlyPaths`. It sees nothing else of this machine: no home folder, no other
 * learner, no device, no privileges, and no network unless requested.
 */

/** A container engine, with the options that it needs on this machine. */
export interface Engine {
  program: 'podman' | 'docker'
  /** Options before the subcommand. */
  flags: string[]
  /** Options of `run`. */
  runFlags: string[]
}

export interface ContainerLimits {
  processes: number
  /** Includes the memory of virtual machines that run in the container. */
  memoryMiB: number
  /** CPU cores. */
  cores: number
  /** Lifetime, counted from the first start. */
  hours: number
}

/**
 * Limits for the tasks of the talk: a virtual machine has 1 GB plus QEMU's own memory, a build needs a few hundred MB,
 * and a course takes at most a day.
 */
export const DEFAULT_LIMITS: ContainerLimits = { processes: 512, memoryMiB: 2560, cores: 2, hours: 12 }

export interface ContainerOptions {
  /** The learner's name. */
  name: string
  /** Identifies the workshop, to distinguish its containers from those of other workshops. */
  workshop: string
  /** The learner's own folder: the container's home folder and writable store layer are in it. Absolute. */
  folder: string
  /** Working directory of shells and scripts, writable, at the same path inside. Absolute, in `folder`. */
  cwd: string
  /** Other paths of this machine that are readable at the same path inside. Absolute. */
  readOnlyPaths: string[]
  env: Record<string, string>
  registry: ProcessRegistry
  /** Default: DEFAULT_LIMITS. */
  limits?: ContainerLimits
  /** Whether the container has access to the network. Default: false. */
  network?: boolean
}

const PROGRAMS = ['podman', 'docker'] as const

/** Name of the image: the folders of a system, and /etc/passwd. Everything else is mounted. */
const IMAGE = 'localhost/understudy-learner:1'
const LABEL = 'understudy.workshop'

/**
 * Engines in the order in which they are tried, simplest options first. crun does not support hybrid control groups,
 * systemd may be absent, and an unprivileged user can only lower resource limits. docker is last because its daemon
 * runs as root.
 */
const ENGINES: readonly Engine[] = [
  { program: 'podman', flags: [], runFlags: [] },
  { program: 'podman', flags: ['--cgroup-manager=cgroupfs'], runFlags: [] },
  { program: 'podman', flags: ['--runtime=runc', '--cgroup-manager=cgroupfs'], runFlags: [] },
  {
    program: 'podman',
    flags: ['--runtime=runc', '--cgroup-manager=cgroupfs'],
    runFlags: ['--ulimit=nofile=1024:4096', '--ulimit=nproc=1000:1000'],
  },
  // The learners' files belong to the user who runs the server. podman maps the container's root to that user; docker
  // does not.
  {
    program: 'docker',
    flags: [],
    runFlags:
      process.getuid && process.getgid && process.getuid() !== 0
        ? [`--user=${process.getuid()}:${process.getgid()}`]
        : [],
  },
]

/** Debian packages that provide a container engine. */
export const ENGINE_PACKAGES = ['podman', 'runc']

/** The container engines that respond on this machine. docker's client without a running daemon does not count. */
export async function availableEngines(): Promise<Engine['program'][]> {
  const found: Engine['program'][] = []
  for (const program of PROGRAMS)
    if ((await execa(program, ['version'], { reject: false, stdin: 'ignore' })).exitCode === 0) found.push(program)
  return found
}

/**
 * Finds an engine, and the options with which it can run a container on this machine, by running one.
 *
 * @param programs engines to try; default: all available ones
 * @throws Error with the missing programs and how to install them
 */
export async function findEngine(programs?: readonly Engine['program'][]): Promise<Engine> {
  const available = programs ?? (await availableEngines())
  if (available.length === 0)
    throw new Error(
      `Learner environments run in containers, but neither ${PROGRAMS.join(' nor ')} responds. Install an engine: apt-get install ${ENGINE_PACKAGES.join(' ')}. See docs/workshop.md for alternatives.`,
    )
  const errors: string[] = []
  for (const engine of ENGINES.filter(({ program }) => available.includes(program))) {
    try {
      await ensureImage(engine)
      await runEngine(engine, [
        'run',
        '--rm',
        '--network=none',
        ...engine.runFlags,
        '--volume=/usr:/usr:ro',
        IMAGE,
        'true',
      ])
      return engine
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error(`Cannot run a container with ${available.join(' or ')}:\n${[...new Set(errors)].join('\n')}`)
}

const IMAGE_FOLDERS = [
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
]

/** Builds the image unless it exists. Takes about 0.1 s; its size is 5 kB. */
async function ensureImage(engine: Engine): Promise<void> {
  const inspected = await execa(engine.program, [...engine.flags, 'image', 'inspect', IMAGE], {
    reject: false,
    stdin: 'ignore',
  })
  if (inspected.exitCode === 0) return
  const root = await mkdtemp(join(tmpdir(), 'understudy-image-'))
  try {
    for (const folder of IMAGE_FOLDERS) await mkdir(join(root, folder), { recursive: true })
    // Copied from this machine: symbolic links to folders in /usr, on Debian since version 12.
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
      await runEngine(engine, ['import', archive, IMAGE])
    } finally {
      await rm(archive, { force: true })
    }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/**
 * Removes all containers of a workshop, such as those that a killed server has left running.
 *
 * @returns the number of containers
 */
export async function removeContainers(engine: Engine, workshop: string): Promise<number> {
  const { stdout } = await runEngine(engine, [
    'ps',
    '--all',
    '--quiet',
    '--no-trunc',
    '--filter',
    `label=${LABEL}=${hashOf(workshop)}`,
  ])
  const ids = stdout.split('\n').filter(Boolean)
  for (const id of ids) await remove(engine, id)
  return ids.length
}

/**
 * The container of a learner. Starts when something is run in it, and starts again if it has ended, until its lifetime
 * is over.
 */
export class Container {
  readonly executor: PrefixExecutor
  private readonly engine: Engine
  private readonly options: ContainerOptions
  /** The container's first process, as seen by this machine. */
  private mainProcess: ProcessId | undefined
  private id = ''
  private starting: Promise<void> | undefined
  private lifetimeTimer: NodeJS.Timeout | undefined
  /** The reason why the container must not be started again. */
  private endReason: string | undefined

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
      processesVisible: true,
      prepare: () => this.start(),
    })
  }

  /**
   * Starts the container unless it is running. A container may have ended because it ran out of memory.
   *
   * @throws Error with the engine's message, or if the container's lifetime is over
   */
  start(): Promise<void> {
    if (this.endReason !== undefined) return Promise.reject(new Error(this.endReason))
    if (this.mainProcess && identify(this.mainProcess.pid)?.start === this.mainProcess.start) return Promise.resolve()
    this.starting ??= this.run().finally(() => (this.starting = undefined))
    return this.starting
  }

  private async run(): Promise<void> {
    const { name, workshop, folder, cwd, readOnlyPaths, limits = DEFAULT_LIMITS, network = false } = this.options
    const { engine } = this
    const upper = join(folder, 'store', 'upper')
    const work = join(folder, 'store', 'work')
    const home = join(folder, 'home')
    for (const path of [upper, work, home]) await mkdir(path, { recursive: true, mode: 0o700 })
    // Nix requires the permissions with which it creates its store.
    await mkdir(join(upper, 'store'), { recursive: true, mode: 0o775 })
    // Only the certificates are mounted, because /etc/ssl also contains private keys.
    const mounts = ['/etc/alternatives', '/etc/ssl/certs', ...readOnlyPaths].filter((path) => existsSync(path))
    const containerName = `understudy-${hashOf(workshop).slice(0, 8)}-${name}`
    await remove(engine, containerName)
    const { stdout } = await runEngine(
      engine,
      [
        'run',
        '--detach',
        '--rm',
        `--name=${containerName}`,
        `--label=${LABEL}=${hashOf(workshop)}`,
        `--hostname=${name}`,
        network ? NETWORK_FLAG[engine.program] : '--network=none',
        '--cap-drop=all',
        '--security-opt=no-new-privileges',
        '--read-only',
        '--tmpfs=/tmp:mode=1777,size=1g',
        '--tmpfs=/var/tmp:mode=1777,size=1g',
        `--pids-limit=${limits.processes}`,
        `--memory=${limits.memoryMiB}m`,
        `--memory-swap=${limits.memoryMiB}m`,
        `--cpus=${limits.cores}`,
        ...engine.runFlags,
        '--volume=/usr:/usr:ro',
        ...mounts.map((path) => `--volume=${path}:${path}:ro`),
        ...(existsSync('/nix/store') ? [storeOverlay(engine, upper, work)] : []),
        `--volume=${cwd}:${cwd}`,
        `--volume=${home}:/root`,
        IMAGE,
        // Reaps orphaned processes, and ends immediately on SIGTERM.
        ...['bash', '-c', 'trap exit TERM; while :; do sleep 86400 & wait $!; done'],
      ],
      folder,
    )
    this.id = stdout.trim().split('\n').at(-1) ?? ''
    const { stdout: pid } = await runEngine(engine, ['inspect', '--format', '{{.State.Pid}}', this.id])
    this.mainProcess = identify(Number(pid))
    this.lifetimeTimer ??= setTimeout(() => {
      this.endReason = `The environment of learner "${name}" has reached its time limit of ${limits.hours} hours. Its files are kept. Ask the instructor to restart the workshop.`
      void this.remove().catch(() => {})
    }, limits.hours * 3_600_000).unref()
  }

  /** Ends the container with all its processes, permanently. The learner's folder remains. */
  async end(): Promise<void> {
    this.endReason ??= 'The workshop has ended.'
    clearTimeout(this.lifetimeTimer)
    await this.starting?.catch(() => {})
    await this.executor.close()
    await this.remove()
  }

  private async remove(): Promise<void> {
    if (this.id !== '') await remove(this.engine, this.id)
  }
}

/** Hashes a workshop's identifier: container names and labels are public on this machine, and must not reveal paths. */
const hashOf = (workshop: string) => createHash('sha256').update(workshop).digest('hex').slice(0, 24)

const NETWORK_FLAG = { podman: '--network=slirp4netns', docker: '--network=bridge' } as const

/** The option that mounts this machine's /nix below a writable layer (overlayfs). */
function storeOverlay({ program }: Engine, upper: string, work: string): string {
  if (program === 'podman') return `--volume=/nix:/nix:O,upperdir=${upper},workdir=${work}`
  // An anonymous volume, which docker removes with its container. The last option is quoted because commas separate
  // mount options.
  return `--mount=type=volume,destination=/nix,volume-nocopy,volume-driver=local,volume-opt=type=overlay,volume-opt=device=overlay,"volume-opt=o=lowerdir=/nix,upperdir=${upper},workdir=${work}"`
}

/** Kills and removes a container with its volumes. Succeeds if the container does not exist. */
async function remove(engine: Engine, container: string): Promise<void> {
  await runEngine(engine, [
    'rm',
    '--force',
    '--volumes',
    ...(engine.program === 'podman' ? ['--time=0'] : []),
    container,
  ]).catch((error: unknown) => {
    // The engines do not report a missing container with a distinct exit status.
    const gone = /no such container|already in progress|no container with/i
    if (!(error instanceof Error) || !gone.test(error.message)) throw error
  })
}

/**
 * Runs a command of a container engine.
 *
 * @param cwd working directory; podman's monitor writes a file there when a container runs out of memory
 * @throws Error with the last line of the engine's error output
 */
async function runEngine({ program, flags }: Engine, args: string[], cwd = '/'): Promise<{ stdout: string }> {
  const { exitCode, stdout, stderr } = await execa(program, [...flags, ...args], {
    reject: false,
    stdin: 'ignore',
    cwd,
  })
  if (exitCode === 0) return { stdout }
  const reason = stderr.trim().split('\n').at(-1)
  throw new Error(`${program} ${args[0]} failed: ${reason || `exit status ${exitCode}`}`)
}
