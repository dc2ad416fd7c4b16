import { commandLine } from '../../shared/command-line.ts'
import type { PortHolder } from './ports.ts'

/** Lines of a program's output that a message shows. */
const MAX_OUTPUT_LINES = 5

/** A reason why steps cannot run in the chosen environment, or run with restrictions. */
export type ProfileProblem =
  /** `prepare.sh` failed. `output` is its error output, which is written for users. */
  | { kind: 'lab-failed'; exit: number | undefined; output: string }
  | { kind: 'lab-packages-missing'; packages: readonly string[] }
  | { kind: 'lab-not-prepared' }
  /** `env.sh` failed. */
  | { kind: 'lab-environment-failed'; output: string }
  /** The development shell of the flake cannot be entered. `reason` is Nix's message. */
  | { kind: 'no-dev-shell'; reason: string }
  | { kind: 'dev-shell-not-entered' }

/** Describes a problem of an environment, and the fix. */
export function describeProfileProblem(problem: ProfileProblem): string {
  switch (problem.kind) {
    case 'lab-failed':
      return problem.output.trim() || `Preparing the offline lab failed with exit status ${problem.exit ?? '(none)'}.`
    case 'lab-packages-missing':
      return `The offline lab needs these Debian packages: ${problem.packages.join(', ')}.`
    case 'lab-not-prepared':
      return `The offline lab is not prepared yet. Prepare it with: ${commandLine('start')}`
    case 'lab-environment-failed':
      return problem.output.trim() || 'The environment of the offline lab cannot be read.'
    case 'no-dev-shell':
      return `The steps run with the programs of this machine: the flake's development shell is not available.\n${problem.reason}`
    case 'dev-shell-not-entered':
      return `The development shell was not entered yet. Enter it with: ${commandLine('start')}`
  }
}

/** The reason why Debian packages are not installed. */
export type PackageProblem =
  /** apt-get is not available, or the user is not root and cannot use sudo. */
  | { kind: 'no-permission'; packages: readonly string[] }
  /** `output` is the error output of apt-get. */
  | { kind: 'install-failed'; packages: readonly string[]; output: readonly string[] }

/** Describes the reason why packages are not installed, and how to install them. */
export function describePackageProblem(problem: PackageProblem): string {
  const manually = `As root: apt-get install ${problem.packages.join(' ')}`
  switch (problem.kind) {
    case 'no-permission':
      return `Without root or sudo, packages cannot be installed from here. ${manually}`
    case 'install-failed':
      return [`The installation of packages failed. ${manually}`, ...problem.output.slice(-MAX_OUTPUT_LINES)].join('\n')
  }
}

/**
 * Describes a port that is in use, and how to free it.
 *
 * @param holder the process that listens on it, if known
 */
export function describePortHolder(port: number, holder: PortHolder | undefined): string {
  return holder
    ? `Port ${port} is in use by process ${holder.pid} (${holder.command}). Stop it with: kill ${holder.pid}`
    : `Port ${port} is in use by another process. Find it with: sudo ss -ltnp 'sport = :${port}'`
}
