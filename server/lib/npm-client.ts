import { execa } from 'execa'

/** The reason why a command of npm failed. */
export type NpmFailure =
  | { kind: 'no-npm' }
  /** The registry cannot be reached. `code` is npm's. */
  | { kind: 'no-network'; code: string }
  /** npm cannot find a package or a version. `message` is npm's. */
  | { kind: 'not-found'; message: string }
  /** `output` is the end of npm's error output. */
  | { kind: 'failed'; args: readonly string[]; output: string }

/** Codes of npm and of the system for a registry that does not respond. */
const NETWORK_CODES = new Set([
  'EAI_AGAIN',
  'ENOTFOUND',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ERR_SOCKET_TIMEOUT',
  'ENOTCACHED',
  'EIDLETIMEOUT',
])

const NOT_FOUND_CODES = new Set(['E404', 'ETARGET', 'ENOVERSIONS', 'ENOENT'])

const MAX_ERROR_LINES = 8

/** Thrown if a command of npm fails. */
export class NpmError extends Error {
  override name = 'NpmError'
  readonly failure: NpmFailure

  constructor(failure: NpmFailure) {
    super(describeNpmFailure(failure))
    this.failure = failure
  }
}

/** Describes the failure of npm, and the fix. */
export function describeNpmFailure(failure: NpmFailure): string {
  switch (failure.kind) {
    case 'no-npm':
      return 'npm was not found. Install Node.js with npm: https://nodejs.org'
    case 'no-network':
      return `npm cannot reach its registry (${failure.code}). Check the network connection, or the proxy in npm's configuration.`
    case 'not-found':
      return `npm cannot install a package: ${failure.message}`
    case 'failed':
      return `npm ${failure.args.join(' ')} failed:\n${failure.output}`
  }
}

/**
 * Runs npm.
 *
 * @param cwd folder with the package.json, absolute
 * @throws NpmError, or the signal's reason
 */
export async function runNpm(args: readonly string[], cwd: string, signal: AbortSignal): Promise<void> {
  const { failed, code, stderr } = await execa('npm', args, {
    cwd,
    cancelSignal: signal,
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    // A missing network is reported at once, not after a minute of attempts.
    env: { npm_config_fetch_retries: '1', npm_config_fetch_retry_mintimeout: '1000' },
  })
  signal.throwIfAborted()
  if (!failed) return
  throw new NpmError(code === 'ENOENT' ? { kind: 'no-npm' } : npmFailure(args, stderr))
}

function npmFailure(args: readonly string[], stderr: string): NpmFailure {
  const lines = stderr.split('\n').flatMap((line) => /^npm error ?(.*)$/.exec(line)?.slice(1) ?? [])
  const code = lines.flatMap((line) => /^(?:code|errno) (\S+)/.exec(line)?.slice(1) ?? [])[0] ?? ''
  if (NETWORK_CODES.has(code)) return { kind: 'no-network', code }
  const [message = ''] = lines.filter((line) => !/^(code|errno|syscall|path)\b/.test(line))
  if (NOT_FOUND_CODES.has(code)) return { kind: 'not-found', message: message.replace(/^\S+ /, '') }
  const output = (lines.length > 0 ? lines : stderr.trim().split('\n')).slice(0, MAX_ERROR_LINES).join('\n')
  return { kind: 'failed', args, output }
}
