import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { packageRoot } from '../lib/paths.ts'
import { shellQuote } from '../lib/shell-quote.ts'
import {
  type Executor,
  type OutputListener,
  type ScriptResult,
  type Shell,
  type ShellOptions,
  TERMINAL_VARIABLES,
} from './executor.ts'
import type { ProcessRegistry } from './process-registry.ts'
import { endSession, identify, MARKER_VARIABLE } from './process-tree.ts'
import { openTerminal } from './pseudo-terminal.ts'
import { runScript } from './script.ts'

export interface PrefixOptions {
  /**
   * A command that runs its last argument with a POSIX shell in the remote environment, without that argument: for
   * example `['ssh', '-tt', 'ada@lab1']` or `['podman', 'exec', '-it', 'ada', 'sh', '-c']`.
   *
   * @param terminal whether the command runs in a pseudo-terminal; otherwise its streams are pipes
   */
  prefix: (terminal: boolean) => string[]
  /** Working directory of shells and scripts: an absolute path in the remote environment. */
  cwd: string
  /** Environment variables in addition to those of the remote environment. */
  env: Record<string, string>
  registry: ProcessRegistry
  /** Whether this machine's /proc lists the remote processes, as it does for a local container. */
  processesVisible?: boolean
  /**
   * Awaited before a shell or a script is started.
   *
   * @throws Error with the reason why the environment is not available
   */
  prepare?: () => Promise<void>
}

/** Time limit of a short remote command, including the connection. */
const COMMAND_TIMEOUT_SECONDS = 20

/**
 * Runs shells and scripts in a remote environment (a container, another host, a pod) through a command prefix. The
 * environment requires bash, the usual commands, and GNU grep for ending sessions. No files are left in it.
 */
export class PrefixExecutor implements Executor {
  private readonly options: PrefixOptions
  private readonly forwards = new Map<number, Promise<Server>>()
  private readonly sockets = new Set<Socket>()

  constructor(options: PrefixOptions) {
    this.options = options
  }

  async shell({ marker, cols, rows, secret }: ShellOptions): Promise<Shell> {
    await this.options.prepare?.()
    const integration = await readFile(join(packageRoot, 'server', 'terminal', 'shell-integration.bash'), 'utf8')
    // The shell reads its startup file from a pipe: once it runs, no remote file, environment or argument contains the
    // secret.
    const rcText = Buffer.from(`__understudy_secret=${secret}\n${integration}`).toString('base64')
    const startBash = `exec bash --noprofile --rcfile <(base64 -d <<< ${rcText}) -i`
    const [program, args] = this.prefixed(this.commandLine(marker, startBash, TERMINAL_VARIABLES), true)
    const terminal = openTerminal(program, args, { cwd: '/', cols, rows, env: this.prefixEnvironment(marker) })
    const leader = identify(terminal.pid)
    if (leader) void this.options.registry.record(marker, [leader])
    // The local foreground process is always the prefix command.
    return { ...terminal, isForeground: () => false }
  }

  async script(
    script: string,
    timeoutSeconds: number,
    signal?: AbortSignal,
    onOutput?: OutputListener,
  ): Promise<ScriptResult> {
    try {
      await this.options.prepare?.()
    } catch (error) {
      return { exit: null, stdout: '', output: error instanceof Error ? error.message : String(error) }
    }
    const marker = randomBytes(12).toString('hex')
    const [program, args] = this.prefixed(this.commandLine(marker, script))
    return runScript(program, args, {
      cwd: '/',
      env: this.prefixEnvironment(marker),
      marker,
      registry: this.options.registry,
      timeoutSeconds,
      signal,
      onOutput,
      endRemoteProcesses: () => this.endRemoteProcesses(marker),
    })
  }

  async which(program: string): Promise<string | undefined> {
    const { exit, stdout } = await this.probe('type -P -- "$1"', program)
    return exit === 0 && stdout !== '' ? stdout : undefined
  }

  async hasVariable(name: string): Promise<boolean> {
    if (Object.hasOwn(TERMINAL_VARIABLES, name)) return true
    return (await this.probe('[ -n "$(printenv "$1")" ]', name)).exit === 0
  }

  async reaches(host: string): Promise<boolean> {
    return (await this.probe(CONNECT_SCRIPT, host)).exit === 0
  }

  async isPortFree(port: number): Promise<boolean> {
    return (await this.probe(FIND_LISTENER_SCRIPT, port.toString(16).toUpperCase().padStart(4, '0'))).exit !== 0
  }

  trackProcesses(): void {
    // Not tracked: after a server was killed, the next one cannot end remote processes. They end with their
    // environment.
  }

  async endSession(marker: string): Promise<void> {
    const { registry } = this.options
    await this.endRemoteProcesses(marker)
    await endSession(marker, registry.recordedProcesses(marker))
    await registry.record(marker, [])
  }

  /**
   * Forwards a port of the remote loopback interface to this machine. Each connection runs a remote command.
   *
   * @returns the port on this machine's loopback interface
   */
  async forward(port: number): Promise<number> {
    const listening = this.forwards.get(port) ?? this.listenFor(port)
    this.forwards.set(port, listening)
    const address = (await listening).address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** Closes all forwarded ports and their connections. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await Promise.all(
      [...this.forwards.values()].map(
        async (listening) => new Promise((resolve) => void listening.then((server) => server.close(resolve))),
      ),
    )
    this.forwards.clear()
  }

  /** Listens on a free port of this machine, and connects each client to a remote port. */
  private async listenFor(port: number): Promise<Server> {
    const server = createServer((socket) => {
      const [program, args] = this.prefixed(`bash --norc -c ${shellQuote(RELAY_SCRIPT)} bash ${port}`)
      const child = spawn(program, args, {
        cwd: '/',
        env: this.prefixEnvironment(),
        stdio: ['pipe', 'pipe', 'ignore'],
      })
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

  /** Ends every remote process of a session, if this machine's /proc does not list them. */
  private async endRemoteProcesses(marker: string): Promise<void> {
    if (this.options.processesVisible) return
    const [program, args] = this.prefixed(`bash --norc -c ${shellQuote(END_SESSION_SCRIPT)} bash ${marker}`)
    const child = spawn(program, args, { cwd: '/', env: this.prefixEnvironment(), stdio: 'ignore' })
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT_SECONDS * 1000)
    await new Promise((resolve) => child.once('error', resolve).once('exit', resolve))
    clearTimeout(timer)
  }

  /** Splits the command that runs a command line remotely into its program and arguments. */
  private prefixed(commandLine: string, terminal = false): [program: string, args: string[]] {
    const [program = '', ...args] = this.options.prefix(terminal)
    return [program, [...args, commandLine]]
  }

  /** A command line for a POSIX shell that runs a bash script in the session's working directory and environment. */
  private commandLine(marker: string, script: string, extraEnv: Record<string, string> = {}): string {
    const { cwd, env } = this.options
    const variables = { LANG: 'C.UTF-8', ...env, ...extraEnv, [MARKER_VARIABLE]: marker }
    const assignments = Object.entries(variables).map(([name, value]) => shellQuote(`${name}=${value}`))
    return `cd ${shellQuote(cwd)} && exec env ${assignments.join(' ')} bash --norc -c ${shellQuote(script)}`
  }

  /**
   * Runs a short script that examines the remote environment.
   *
   * @param argument the value of `$1` in the script
   */
  private probe(script: string, argument: string): Promise<ScriptResult> {
    return this.script(`set -- ${shellQuote(argument)}\n${script}`, COMMAND_TIMEOUT_SECONDS)
  }

  /** The environment of the prefix command itself: only the variables that ssh, kubectl, podman and docker need. */
  private prefixEnvironment(marker?: string): Record<string, string> {
    const { PATH = '', HOME = '', SSH_AUTH_SOCK, KUBECONFIG, DOCKER_HOST, XDG_RUNTIME_DIR } = process.env
    return {
      PATH,
      HOME,
      TERM: TERMINAL_VARIABLES.TERM,
      ...(SSH_AUTH_SOCK && { SSH_AUTH_SOCK }),
      ...(KUBECONFIG && { KUBECONFIG }),
      ...(DOCKER_HOST && { DOCKER_HOST }),
      ...(XDG_RUNTIME_DIR && { XDG_RUNTIME_DIR }),
      ...(marker !== undefined && { [MARKER_VARIABLE]: marker }),
    }
  }
}

/**
 * Connects to port 443 of the host `$1` for at most 3 seconds: a network that drops packets would otherwise block for
 * minutes.
 */
const CONNECT_SCRIPT = `timeout 3 bash --norc -c 'exec 3<>"/dev/tcp/$1/443"' bash "$1"`

/**
 * Succeeds if a socket listens (state 0A, TCP_LISTEN in include/net/tcp_states.h) on the port `$1`, four hexadecimal
 * digits. Reads the kernel's tables because a connection would disturb a program that accepts only one.
 */
const FIND_LISTENER_SCRIPT = `
for table in /proc/net/tcp /proc/net/tcp6; do
  while read -r _ local _ state _; do
    [ "$state" = 0A ] && [ "\${local##*:}" = "$1" ] && exit 0
  done < "$table"
done 2>/dev/null
exit 1
`

/**
 * Copies standard input to the port `$1` and the port's output to standard output. Ends when standard input ends: the
 * client has then closed the connection and cannot receive more output.
 */
const RELAY_SCRIPT = 'exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1; cat <&3 & reader=$!; cat >&3; kill $reader 2>/dev/null'

/**
 * Ends the session with the marker `$1`: the processes with that marker and their descendants. Sends SIGHUP, then
 * SIGTERM and SIGKILL to the remaining processes. The shell version of process-tree.ts.
 */
const END_SESSION_SCRIPT = `
session_pids() {
  local pid stat line grown
  declare -A parents members
  for stat in /proc/[0-9]*/stat; do
    pid=\${stat#/proc/}; pid=\${pid%/stat}
    { read -r line < "$stat"; } 2>/dev/null || continue
    line=\${line##*) }
    set -- "$1" $line
    [ "$2" = Z ] || parents[$pid]=$3
  done
  for stat in $(grep -lsxzF "${MARKER_VARIABLE}=$1" /proc/[0-9]*/environ); do
    pid=\${stat#/proc/}; members[\${pid%/environ}]=1
  done
  grown=1
  while [ "$grown" ]; do
    grown=
    for pid in "\${!parents[@]}"; do
      [ -z "\${members[$pid]}" ] && [ "\${members[\${parents[$pid]}]}" ] && { members[$pid]=1; grown=1; }
    done
  done
  unset "members[$$]" "members[$BASHPID]"
  echo "\${!members[@]}"
}
for signal in HUP TERM KILL; do
  for round in 1 2 3 4 5; do
    pids=$(session_pids "$1")
    [ -z "$pids" ] && exit 0
    [ $round = 1 ] && kill -$signal $pids 2>/dev/null
    sleep 0.2
  done
done
`
