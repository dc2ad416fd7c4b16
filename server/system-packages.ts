import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { execa } from 'execa'

/** The words before an apt-get command: none for root, sudo where it works; undefined where packages cannot be installed. */
async function privilege(): Promise<string[] | undefined> {
  if (!existsSync('/usr/bin/apt-get')) return undefined
  if (process.getuid?.() === 0) return []
  const asTerminal = process.stdin.isTTY
  const { exitCode } = await execa('sudo', asTerminal ? ['-v'] : ['-n', 'true'], { reject: false, stdio: asTerminal ? 'inherit' : 'ignore' })
  return exitCode === 0 ? ['sudo'] : undefined
}

/**
 * Says what would be installed and asks, where there is a terminal to ask at.
 *
 * @param yes do not ask
 */
export async function mayInstall(packages: string[], yes: boolean): Promise<boolean> {
  console.log(`The offline lab needs these Debian packages: ${packages.join(', ')}.`)
  if (yes || !process.stdin.isTTY || !process.stdout.isTTY) return true
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const answer = await terminal.question('Install them with apt-get? [Y/n] ')
    return !/^n/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

/**
 * Installs Debian packages. Where that is not possible nothing happens: what then is missing says so by itself.
 *
 * @param onProgress called with each line of apt-get
 * @throws Error with the last lines of apt-get
 */
export async function installPackages(packages: string[], onProgress: (line: string) => void, cancelSignal?: AbortSignal): Promise<void> {
  const words = await privilege()
  if (!words) {
    console.log(`They cannot be installed from here. As root: apt-get install ${packages.join(' ')}`)
    return
  }
  for (const args of [['update', '-qq'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    const [program = '', ...rest] = [...words, 'apt-get', ...args]
    const child = execa(program, rest, { reject: false, all: true, lines: true, cancelSignal, stdin: 'ignore', env: { DEBIAN_FRONTEND: 'noninteractive' } })
    for await (const line of child.iterable({ from: 'all' })) onProgress(line)
    const { exitCode, all } = await child
    // An outdated list of packages may do all the same; only the installation decides.
    if (exitCode !== 0 && args[0] === 'install') throw new Error(`apt-get install ${packages.join(' ')} failed:\n${(all ?? []).slice(-5).join('\n')}`)
  }
}
