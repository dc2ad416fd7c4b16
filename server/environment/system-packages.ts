import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { execa } from 'execa'
import type { ProcessRegistry } from '../executor/process-registry.ts'
import { runTool } from '../executor/run-tool.ts'

async function isThere(program: string): Promise<boolean> {
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

/** The words before an apt-get command: none for root, sudo where it works; undefined where packages cannot be installed. */
async function privilege(): Promise<string[] | undefined> {
  if (!(await isThere('apt-get'))) return undefined
  if (process.getuid?.() === 0) return []
  if (!(await isThere('sudo'))) return undefined
  const asTerminal = process.stdin.isTTY
  const { exitCode } = await execa('sudo', asTerminal ? ['-v'] : ['-n', 'true'], {
    reject: false,
    stdio: asTerminal ? 'inherit' : 'ignore',
  })
  return exitCode === 0 ? ['sudo'] : undefined
}

/**
 * Says what would be installed and asks, where there is a terminal to ask at.
 *
 * @param what needs them, to begin a sentence
 * @param yes do not ask
 * @throws the signal's reason
 */
async function mayInstall(what: string, packages: string[], yes: boolean, signal: AbortSignal): Promise<boolean> {
  console.log(`${what} needs these Debian packages: ${packages.join(', ')}.`)
  if (yes || !process.stdin.isTTY || !process.stdout.isTTY) return true
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // The question has taken Ctrl-C from the terminal: it is the signal again.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = await terminal.question('Install them with apt-get? [Y/n] ', { signal })
    return !/^n/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

/**
 * Installs Debian packages while a task shows it, unless the user does not want them.
 *
 * @param what needs them, to begin a sentence
 * @param yes do not ask
 * @returns why they could not be installed, with what to do; undefined where they are, and where they are not wanted
 * @throws the signal's reason
 */
export async function offerPackages(
  task: { title: string; output: string },
  what: string,
  packages: string[],
  yes: boolean,
  signal: AbortSignal,
  registry: ProcessRegistry,
): Promise<string | undefined> {
  if (packages.length === 0 || !(await mayInstall(what, packages, yes, signal))) return undefined
  const { title } = task
  task.title = `${title} (installing ${packages.join(', ')})`
  const problem = await installPackages(packages, (line) => (task.output = line), signal, registry)
  task.title = title
  return problem
}

/**
 * Installs Debian packages.
 *
 * @param onProgress called with each line of apt-get
 * @returns why they are not installed, with what to do; undefined where they are
 * @throws the signal's reason
 */
async function installPackages(
  packages: string[],
  onProgress: (line: string) => void,
  signal: AbortSignal,
  registry: ProcessRegistry,
): Promise<string | undefined> {
  const words = await privilege()
  const byHand = `apt-get install ${packages.join(' ')}`
  if (!words) return `They cannot be installed from here. As root: ${byHand}`
  const options = { onLine: onProgress, signal, registry, env: { DEBIAN_FRONTEND: 'noninteractive' } }
  const asRoot = ([program = '', ...args]: string[]) => runTool(program, args, options)
  // An earlier installation may have been interrupted: nothing else can be installed before it is finished.
  await asRoot([...words, 'dpkg', '--configure', '-a'])
  // An outdated list of packages may do all the same; only the installation decides.
  await asRoot([...words, 'apt-get', 'update', '-qq'])
  const { exit, errors } = await asRoot([...words, 'apt-get', 'install', '-y', '--no-install-recommends', ...packages])
  return exit === 0 ? undefined : [`They could not be installed. As root: ${byHand}`, ...errors.slice(-5)].join('\n')
}
