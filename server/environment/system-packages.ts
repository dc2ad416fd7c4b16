import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { execa } from 'execa'
import type { ProcessRegistry } from '../executor/process-registry.ts'
import { runTool } from '../executor/run-tool.ts'
import { describePackageProblem, type PackageProblem } from './problems.ts'

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

/** The prefix of an apt-get command: empty for root, sudo if it works; undefined if packages cannot be installed. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (!(await isOnPath('apt-get'))) return undefined
  if (process.getuid?.() === 0) return []
  if (!(await isOnPath('sudo'))) return undefined
  const canAskForPassword = process.stdin.isTTY
  const { exitCode } = await execa('sudo', canAskForPassword ? ['-v'] : ['-n', 'true'], {
    reject: false,
    stdio: canAskForPassword ? 'inherit' : 'ignore',
  })
  return exitCode === 0 ? ['sudo'] : undefined
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
  const prefix = await rootPrefix()
  if (!prefix) return { kind: 'no-permission', packages }
  const options = { onLine: onProgress, signal, registry, env: { DEBIAN_FRONTEND: 'noninteractive' } }
  const asRoot = ([program = '', ...args]: string[]) => runTool(program, args, options)
  // Completes an interrupted installation: until then, dpkg refuses all others.
  await asRoot([...prefix, 'dpkg', '--configure', '-a'])
  // A failure is ignored, because the existing package list may suffice.
  await asRoot([...prefix, 'apt-get', 'update', '-qq'])
  const { exit, errors } = await asRoot([...prefix, 'apt-get', 'install', '-y', '--no-install-recommends', ...packages])
  return exit === 0 ? undefined : { kind: 'install-failed', packages, output: errors }
}
