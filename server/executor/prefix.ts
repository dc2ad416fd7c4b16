import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packageRoot } from '../lib/paths.ts'
import { shellWord } from '../lib/shell-quote.ts'
import { type Executor, type ScriptEnd, type Shell, type ShellOptions, TERMINAL_VARIABLES } from './executor.ts'
import type { ProcessRegistry } from './process-registry.ts'
import { endSession, identify, MARKER } from './process-tree.ts'
import { openTerminal } from './pseudo-terminal.ts'
import { runScript } from './script.ts'

export interface PrefixOptions {
  /**
   * The words before a command line of a POSIX shell that have it run elsewhere: `['ssh', '-tt', 'ada@lab1']`,
   * `['podman', 'exec', '-it', 'ada', 'sh', '-c']`. The command line follows as one word.
   *
   * @param terminal whether it is run in a pseudo-terminal, or has pipes
   */
  prefix: (terminal: boolean) => string[]
  /** Where shells and scripts begin: absolute, as it is called there. */
  cwd: string
  /** Set there besides what there is already. */
  env: Record<string, string>
  registry: ProcessRegistry
  /** Whether its processes are this machine's too, as those of a container are. */
  here?: boolean
  /** Awaited before anything is run there. @throws an Error that says why nothing is */
  ready?: () => Promise<void>
}

/** Time limit of a short command elsewhere, the connection included. */
const PROBE_TIMEOUT_SECONDS = 20

/**
 * Runs the shells elsewhere: in a container, on another host, in a pod. bash is needed there, with the usual commands; nothing else has to
 * be installed (GNU grep is wanted, for the end of sessions), and no file is left.
 */
export class PrefixExecutor implements Executor {
  private readonly options: PrefixOptions
  private readonly tunnels = new Map<number, Promise<Server>>()
  private readonly sockets = new Set<Socket>()

  constructor(options: PrefixOptions) {
    this.options = options
  }

  async shell({ marker, cols, rows, secret }: ShellOptions): Promise<Shell> {
    await this.options.ready?.()
    const integration = await readFile(join(packageRoot, 'server', 'terminal', 'shell-integration.bash'), 'utf8')
    // Read once by the shell, from a pipe: the secret is in no file or environment there, and in no argument once the shell runs.
    const start = Buffer.from(`__understudy_secret=${secret}\n${integration}`).toString('base64')
    const line = this.line(marker, `exec bash --noprofile --rcfile <(base64 -d <<< ${start}) -i`, TERMINAL_VARIABLES)
    const [program, words] = this.there(line, true)
    const terminal = openTerminal(program, words, { cwd: '/', cols, rows, env: this.environment(marker) })
    const leader = identify(terminal.pid)
    if (leader) void this.options.registry.note(marker, [leader])
    // What has the terminal here is always the program of the prefix.
    return { ...terminal, atRest: () => false }
  }

  async script(
    script: string,
    seconds: number,
    signal?: AbortSignal,
    onOutput?: (bytes: Buffer, from: 'stdout' | 'stderr') => void,
  ): Promise<ScriptEnd> {
    try {
      await this.options.ready?.()
    } catch (error) {
      return { exit: null, value: '', output: error instanceof Error ? error.message : String(error) }
    }
    const marker = randomBytes(12).toString('hex')
    const [program, words] = this.there(this.line(marker, script))
    const { registry } = this.options
    return runScript(program, words, {
      cwd: '/',
      env: this.environment(marker),
      marker,
      registry,
      seconds,
      signal,
      onOutput,
      endElsewhere: () => this.endThere(marker),
    })
  }

  async which(program: string): Promise<string | undefined> {
    const { exit, value } = await this.script(`type -P -- ${shellWord(program)}`, PROBE_TIMEOUT_SECONDS)
    return exit === 0 && value !== '' ? value : undefined
  }

  async hasVariable(name: string): Promise<boolean> {
    if (Object.hasOwn(TERMINAL_VARIABLES, name)) return true
    return (await this.probe('[ -n "$(printenv "$1")" ]', name)) === 0
  }

  async reaches(host: string): Promise<boolean> {
    return (await this.probe(REACHES, host)) === 0
  }

  async isPortFree(port: number): Promise<boolean> {
    return (await this.probe(LISTENS, port.toString(16).toUpperCase().padStart(4, '0'))) !== 0
  }

  watch(): void {
    // What is left there when the server is killed is ended with the place itself, or by its operator.
  }

  async end(marker: string): Promise<void> {
    const { registry } = this.options
    await this.endThere(marker)
    await endSession(marker, registry.known(marker))
    await registry.note(marker, [])
  }

  /**
   * Lets a port of the place be reached here: each connection is a command there.
   *
   * @returns the port on this machine's loopback
   */
  async forward(port: number): Promise<number> {
    const opening = this.tunnels.get(port) ?? this.openTunnel(port)
    this.tunnels.set(port, opening)
    const address = (await opening).address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** Closes what `forward` has opened. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await Promise.all(
      [...this.tunnels.values()].map(
        async (opening) => new Promise((done) => void opening.then((server) => server.close(done))),
      ),
    )
    this.tunnels.clear()
  }

  private async openTunnel(port: number): Promise<Server> {
    const server = createServer((socket) => {
      // What the other side has to say is said when its input ends; what is left of it then is nobody's.
      const line = `bash --norc -c ${shellWord(`exec 3<>/dev/tcp/127.0.0.1/${port} || exit 1; cat <&3 & reader=$!; cat >&3; kill $reader 2>/dev/null`)}`
      const [program, words] = this.there(line)
      const child = spawn(program, words, { cwd: '/', env: this.environment(''), stdio: ['pipe', 'pipe', 'ignore'] })
      this.sockets.add(socket)
      child.on('error', () => socket.destroy())
      child.stdin.on('error', () => {})
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.sockets.delete(socket)
        child.kill()
      })
      child.on('close', () => socket.destroy())
      socket.pipe(child.stdin)
      child.stdout.pipe(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    server.unref()
    return server
  }

  /** Ends every process of a session there: those with its marker, and what descends from them (Nix starts builders with an empty environment). */
  private async endThere(marker: string): Promise<void> {
    if (this.options.here) return
    const [program, words] = this.there(`bash --norc -c ${shellWord(END)} bash ${marker}`)
    const child = spawn(program, words, { cwd: '/', env: this.environment(''), stdio: 'ignore' })
    const late = setTimeout(() => child.kill('SIGKILL'), PROBE_TIMEOUT_SECONDS * 1000)
    await new Promise((done) => child.once('error', done).once('exit', done))
    clearTimeout(late)
  }

  /** The program, and its arguments, that have a command line run there. */
  private there(line: string, terminal = false): [string, string[]] {
    const [program = '', ...words] = this.options.prefix(terminal)
    return [program, [...words, line]]
  }

  /** A command line for bash there, with the environment of the session. */
  private line(marker: string, script: string, more: Record<string, string> = {}): string {
    const { cwd, env } = this.options
    const variables = Object.entries({ LANG: 'C.UTF-8', ...env, ...more, [MARKER]: marker }).map(([name, value]) =>
      shellWord(`${name}=${value}`),
    )
    return `cd ${shellWord(cwd)} && exec env ${variables.join(' ')} bash --norc -c ${shellWord(script)}`
  }

  /**
   * Runs a short script of this class, in the same environment as the scripts of contracts.
   *
   * @param argument value of `$1` in the script
   * @returns its exit status; null if it could not be run, or took too long
   */
  private async probe(script: string, argument: string): Promise<number | null> {
    return (await this.script(`set -- ${shellWord(argument)}\n${script}`, PROBE_TIMEOUT_SECONDS)).exit
  }

  /** The environment of the prefix's own program. */
  private environment(marker: string): Record<string, string> {
    const { PATH = '', HOME = '', SSH_AUTH_SOCK, KUBECONFIG, DOCKER_HOST, XDG_RUNTIME_DIR } = process.env
    return {
      PATH,
      HOME,
      TERM: 'xterm-256color',
      ...(SSH_AUTH_SOCK && { SSH_AUTH_SOCK }),
      ...(KUBECONFIG && { KUBECONFIG }),
      ...(DOCKER_HOST && { DOCKER_HOST }),
      ...(XDG_RUNTIME_DIR && { XDG_RUNTIME_DIR }),
      ...(marker && { [MARKER]: marker }),
    }
  }
}

/** Connects to port 443 of the host `$1` for at most 3 seconds: a network that drops packets would otherwise block for minutes. */
const REACHES = `timeout 3 bash --norc -c 'exec 3<>"/dev/tcp/$1/443"' bash "$1"`

/**
 * Looks for a listening socket (state 0A, TCP_LISTEN in include/net/tcp_states.h) with the port `$1`, four hexadecimal digits. The
 * kernel's tables are read because a connection would disturb a program that serves only one.
 */
const LISTENS = `
for table in /proc/net/tcp /proc/net/tcp6; do
  while read -r _ local _ state _; do
    [ "$state" = 0A ] && [ "\${local##*:}" = "$1" ] && exit 0
  done < "$table"
done 2>/dev/null
exit 1
`

/** Ends the session of its argument: a hang-up first, then harder. Processes are read from /proc (proc(5)). */
const END = `
found() {
  local pid parent stat
  declare -A parents of
  for stat in /proc/[0-9]*/stat; do
    pid=\${stat#/proc/}; pid=\${pid%/stat}
    { read -r line < "$stat"; } 2>/dev/null || continue
    line=\${line##*) }
    set -- "$1" $line
    [ "$2" = Z ] || parents[$pid]=$3
  done
  for stat in $(grep -lsxzF "${MARKER}=$1" /proc/[0-9]*/environ); do
    pid=\${stat#/proc/}; of[\${pid%/environ}]=1
  done
  local grown=1
  while [ "$grown" ]; do
    grown=
    for pid in "\${!parents[@]}"; do
      [ -z "\${of[$pid]}" ] && [ "\${of[\${parents[$pid]}]}" ] && { of[$pid]=1; grown=1; }
    done
  done
  unset "of[$$]" "of[$BASHPID]"
  echo "\${!of[@]}"
}
for signal in HUP TERM KILL; do
  for round in 1 2 3 4 5; do
    pids=$(found "$1")
    [ -z "$pids" ] && exit 0
    [ $round = 1 ] && kill -$signal $pids 2>/dev/null
    sleep 0.2
  done
done
`
