import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { execa } from 'execa'
import type { ProcessRegistry } from '../executor/process-registry.ts'
import { runTool } from '../executor/run-tool.ts'
import { packageRoot } from '../lib/paths.ts'
import { describePackageProblem, type PackageProblem } from './problems.ts'

const INSTALL_SCRIPT = join(packageRoot, 'server', 'environment', 'install-packages.sh')

async function isOnPath(program: string): Promise<boolean> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return (
    await Promise.all(
      folders.map((folder) =>
        access(join(folder, program), constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
    )
  ).includes(true)
}

/** Whether this user can install packages: is root, or can use sudo. */
async function mayInstall(): Promise<boolean> {
  if (!(await isOnPath('apt-get'))) return false
  if (process.getuid?.() === 0) return true
  if (!(await isOnPath('sudo'))) return false
  const canAskForPassword = process.stdin.isTTY
  const { exitCode } = await execa('sudo', canAskForPassword ? ['-v'] : ['-n', 'true'], {
    reject: false,
    stdio: canAskForPassword ? 'inherit' : 'ignore',
  })
  return exitCode === 0
}

/**
 * Prints the packages and asks for consent, which is assumed if there is no terminal.
 *
 * @param feature the feature that requires the packages, as the subject of a sentence
 * @param yes do not ask
 * @throws the signal's reason
 */
async function askToInstall(feature: string, packages: string[], yes: boolean, signal: AbortSignal): Promise<boolean> {
  console.log(`${feature} needs these Debian packages: ${packages.join(', ')}.`)
  if (yes || !process.stdin.isTTY || !process.stdout.isTTY) return true
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // readline intercepts Ctrl-C while it waits for the answer.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = await terminal.question('Install them with apt-get? [Y/n] ', { signal })
    return !/^n/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

/**
 * Installs Debian packages, if the user agrees, and shows the progress in a task.
 *
 * @param feature the feature that requires the packages, as the subject of a sentence
 * @param yes do not ask
 * @returns the reason why they are not installed, and the fix; undefined if they are installed or the user declined
 * @throws the signal's reason
 */
export async function offerPackages(
  task: { title: string; output: string },
  feature: string,
  packages: string[],
  yes: boolean,
  signal: AbortSignal,
  registry: ProcessRegistry,
): Promise<string | undefined> {
  if (packages.length === 0 || !(await askToInstall(feature, packages, yes, signal))) return undefined
  const { title } = task
  task.title = `${title} (installing ${packages.join(', ')})`
  const problem = await installPackages(packages, (line) => (task.output = line), signal, registry)
  task.title = title
  return problem && describePackageProblem(problem)
}

/**
 * Installs Debian packages.
 *
 * @param onProgress receives each line of apt-get
 * @returns undefined on success
 * @throws the signal's reason
 */
async function installPackages(
  packages: string[],
  onProgress: (line: string) => void,
  signal: AbortSignal,
  registry: ProcessRegistry,
): Promise<PackageProblem | undefined> {
  if (!(await mayInstall())) return { kind: 'no-permission', packages }
  const { exit, errors } = await runTool('bash', [INSTALL_SCRIPT, ...packages], {
    onLine: onProgress,
    signal,
    registry,
  })
  return exit === 0 ? undefined : { kind: 'install-failed', packages, output: errors }
}
