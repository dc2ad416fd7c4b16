/** A shell in a pseudo-terminal. */
export interface Shell {
  write: (data: string) => void
  /** Stops reading the output. Once the kernel's buffer is full, programs that write to the terminal block. */
  pause: () => void
  resume: () => void
  /**
   * Whether the shell is the terminal's foreground process, that is, no program runs in it. False if that cannot be
   * determined.
   */
  isForeground: () => boolean
  onOutput: (listener: (bytes: Buffer) => void) => void
  onExit: (listener: (end: { exit: number; signal: number }) => void) => void
}

export interface ShellOptions {
  /** Session marker: identifies every process that the shell starts (see process-tree.ts). */
  marker: string
  cols: number
  rows: number
  /** Authenticates the shell integration's escape sequences. Programs in the shell cannot read it. */
  secret: string
}

/** Environment variables that every shell has because it runs in a terminal. */
export const TERMINAL_VARIABLES = { TERM: 'xterm-256color', COLORTERM: 'truecolor' }

/** Receives each chunk of a script's output as it is read. A chunk may end in the middle of a character. */
export type OutputListener = (bytes: Buffer, stream: 'stdout' | 'stderr') => void

export interface ScriptResult {
  /** Exit status; null if the script could not be started, exceeded its time limit, or was aborted. */
  exit: number | null
  /** The last characters of standard output, trimmed: the value of a capture. */
  stdout: string
  /**
   * The last characters of both output streams, trimmed, for error messages. Contains the reason if the script could
   * not be started.
   */
  output: string
}

/** The environment in which shells and scripts run: this machine, a container, or another host. */
export interface Executor {
  /**
   * Starts a shell.
   *
   * @throws Error if bash is not installed or no pseudo-terminal is available
   */
  shell: (options: ShellOptions) => Promise<Shell>
  /**
   * Runs a script of a contract with bash in the workdir, without a terminal, then ends every process that it has
   * started.
   *
   * @param timeoutSeconds the script is ended after this time
   * @param signal ends the script
   */
  script: (
    script: string,
    timeoutSeconds: number,
    signal?: AbortSignal,
    onOutput?: OutputListener,
  ) => Promise<ScriptResult>
  /** The path of a program, as found on the PATH of the shells; undefined if it is not installed. */
  which: (program: string) => Promise<string | undefined>
  /** Whether an environment variable of the shells is set to a non-empty value. */
  hasVariable: (name: string) => Promise<boolean>
  /**
   * Whether a host accepts TCP connections on port 443 from the environment of the shells. A negative result may take
   * several seconds.
   */
  reaches: (host: string) => Promise<boolean>
  /**
   * Whether no program listens on a TCP port of the loopback interface of the shells. True if that cannot be
   * determined.
   */
  isPortFree: (port: number) => Promise<boolean>
  /**
   * Switches periodic recording of a session's processes on or off. It is on while a command runs, so that the
   * processes can be ended even if the server is killed.
   */
  trackProcesses: (marker: string, on: boolean) => void
  /** Ends every process of a session. */
  endSession: (marker: string) => Promise<void>
  /**
   * Forwards a port of the shells' loopback interface to this machine. Absent if the shells share this machine's
   * ports.
   *
   * @returns the port on this machine's loopback interface
   */
  forward?: (port: number) => Promise<number>
}
