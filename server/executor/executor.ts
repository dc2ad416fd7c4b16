/** A shell in a pseudo-terminal. */
export interface Shell {
  write: (data: string) => void
  /** Stops reading, so that what writes into the terminal has to wait. */
  pause: () => void
  resume: () => void
  /** Whether the shell itself has the terminal, and no program that it runs. False where that cannot be known. */
  atRest: () => boolean
  onOutput: (listener: (bytes: Buffer) => void) => void
  onExit: (listener: (end: { exit: number; signal: number }) => void) => void
}

export interface ShellOptions {
  /** Marks every process of the session. */
  marker: string
  cols: number
  rows: number
  /** Known to the shell's own marks and to nobody else. */
  secret: string
}

/** Environment variables that every shell has, because of its terminal. */
export const TERMINAL_VARIABLES = { TERM: 'xterm-256color', COLORTERM: 'truecolor' }

/** How a script ended. */
export interface ScriptEnd {
  /** null where it was ended: it took too long, or the signal came. */
  exit: number | null
  /** The end of what it printed to its standard output: a value. */
  value: string
  /** The end of what it printed on both of its outputs: for people. */
  output: string
}

/** Where a terminal's shell runs. */
export interface Executor {
  /** @throws Error where there is no bash, or no pseudo-terminal left */
  shell: (options: ShellOptions) => Promise<Shell>
  /**
   * Runs a script of a contract by bash in the workdir, outside of any terminal, and ends whatever it has started.
   *
   * @param seconds that it may take
   * @param onOutput told what it prints, as it prints it: pieces of bytes, cut anywhere
   */
  script: (
    script: string,
    seconds: number,
    signal?: AbortSignal,
    onOutput?: (bytes: Buffer, from: 'stdout' | 'stderr') => void,
  ) => Promise<ScriptEnd>
  /** The path of a program, as found on the PATH of the shells; undefined if it is not installed. */
  which: (program: string) => Promise<string | undefined>
  /** Whether an environment variable of the shells is set to a non-empty value. */
  hasVariable: (name: string) => Promise<boolean>
  /** Whether a host accepts TCP connections on port 443 from where the shells run. Takes a few seconds if it does not. */
  reaches: (host: string) => Promise<boolean>
  /** Whether no program listens on a TCP port of the loopback interface where the shells run. True if that cannot be found out. */
  isPortFree: (port: number) => Promise<boolean>
  /** Whether to remember what the session starts: on while a command runs. */
  watch: (marker: string, on: boolean) => void
  /** Ends every process of a session. */
  end: (marker: string) => Promise<void>
  /**
   * The port of this machine's loopback at which a port of the shells' loopback is reached. Absent where the shells are on this machine and
   * share its ports.
   */
  forward?: (port: number) => Promise<number>
}
