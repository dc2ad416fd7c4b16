// Installs the programs that some tests need.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Debian package of each program, by program. */
const PACKAGES = {
  chromium: 'chromium', // browser tests
  'firefox-esr': 'firefox-esr', // browser tests in Firefox
  nix: 'nix-bin', // lab tests
  git: 'git', // workdirs
  ffmpeg: 'ffmpeg', // videos
  asciinema: 'asciinema', // compatibility of recordings
  podman: 'podman', // classes
  runc: 'runc', // classes
  pgrep: 'procps', // processes of a test
  vim: 'vim', // full-screen programs in the terminal
  less: 'less',
  tmux: 'tmux',
  htop: 'htop',
  openssl: 'openssl', // certificate of a reverse proxy
}

/**
 * Installs the missing programs with apt-get. If that fails, the tests that need a missing program are skipped.
 *
 * @returns {{ program: string, install: string }[]} the programs that are still missing
 */
export function installPrograms() {
  const absent = missingPrograms()
  if (absent.length > 0 && existsSync('/usr/bin/apt-get')) {
    console.log(`Installing with apt-get: ${absent.map((program) => PACKAGES[program]).join(', ')}`)
    aptGet('update', '-qq')
    // One unavailable package makes apt-get install none, so the rest are then installed one by one.
    if (!aptInstall(absent)) for (const program of missingPrograms()) aptInstall([program])
  }
  return missingPrograms().map((program) => ({ program, install: `apt-get install ${PACKAGES[program]}` }))
}

function missingPrograms() {
  return Object.keys(PACKAGES).filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
}

function aptInstall(programs) {
  return aptGet('install', '-y', '-qq', '--no-install-recommends', ...programs.map((program) => PACKAGES[program]))
}

/** @returns whether apt-get succeeded */
function aptGet(...args) {
  const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args]
  const [program, ...words] = process.getuid() === 0 ? command : ['sudo', ...command]
  // Hides the progress of dpkg, which is long. Errors are printed.
  const { status, error } = spawnSync(program, words, { stdio: ['inherit', 'ignore', 'inherit'] })
  if (error) console.error(`${program} could not be started: ${error.message}`)
  return status === 0
}
