// Tests of the lab's packages, which are built from Debian packages and patched to use the Nix store.
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { cache, describeWithLab, flake, temp } from './for-tests.ts'

const START_TIMEOUT_MS = 20_000

function isElf(file: string): boolean {
  const handle = openSync(file, 'r')
  const start = Buffer.alloc(4)
  readSync(handle, start)
  closeSync(handle)
  return start.equals(Buffer.from('\x7fELF'))
}

/** Paths of all ELF programs in the lab's packages. */
function programs(): string[] {
  const packages = join(cache, 'lab/roots/packages')
  return readdirSync(packages)
    .filter((name) => readdirSync(join(packages, name)).includes('bin'))
    .flatMap((name) =>
      readdirSync(join(packages, name, 'bin'), { withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => realpathSync(join(packages, name, 'bin', entry.name))),
    )
    .filter((file, index, all) => all.indexOf(file) === index && isElf(file))
}

describeWithLab("the lab's packages", () => {
  test('contain only programs that start', async () => {
    const files = programs()
    expect(files.map((file) => file.split('/').at(-1))).toEqual(
      expect.arrayContaining(['bash', 'busybox', 'nginx', 'qemu-system-x86_64', 'qemu-img']),
    )
    const failures: unknown[] = []
    for (const file of files) {
      // The exit status does not matter: not every program has this option.
      const { signal, all, timedOut } = await execa(file, ['--version'], {
        all: true,
        env: { PATH: '' },
        extendEnv: false,
        reject: false,
        stdin: 'ignore',
        timeout: START_TIMEOUT_MS,
      })
      if (signal || timedOut || /loading shared libraries|symbol lookup error/.test(all))
        failures.push({ file, signal, all })
    }
    expect(failures).toEqual([])
  })

  test('run Python programs', async () => {
    const python = join(cache, 'lab/roots/packages/python3/bin/python3')
    const { stdout } = await execa(python, ['-c', 'import hashlib, json, socket, subprocess; print(json.dumps([1]))'])
    expect(stdout).toBe('[1]')
  })

  test('contain a QEMU that uses only firmware from the Nix store', async () => {
    const qemu = join(cache, 'lab/roots/packages/qemu/bin/qemu-system-x86_64')
    const { stdout } = await execa(qemu, ['-L', 'help'])
    const directories = stdout.split('\n')
    expect(directories.filter((directory) => !directory.startsWith('/nix/store/'))).toEqual([])
    expect(directories.flatMap((directory) => readIfExists(directory))).toEqual(
      expect.arrayContaining(['bios-256k.bin', 'kvmvapic.bin']),
    )
  })
})

const copyFirst = (...args: string[]) =>
  execa('sh', ['-c', '. "$0" && copy_first "$@"', join(flake, 'lab/nixpkgs/pkgs/copy-first.sh'), ...args], {
    reject: false,
  })

test('copy_first copies the first file that exists', async () => {
  const directory = mkdtempSync(join(temp, 'copy-'))
  const [missing, second, third, target] = ['missing', 'second', 'third', 'target'].map((name) => join(directory, name))
  writeFileSync(second!, 'second')
  writeFileSync(third!, 'third')
  expect((await copyFirst(target!, missing!, second!, third!)).exitCode).toBe(0)
  expect(readFileSync(target!, 'utf8')).toBe('second')
})

test('copy_first fails and names the candidates if no file exists', async () => {
  const { exitCode, stderr } = await copyFirst('/target', '/missing/old-name', '/missing/new-name')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('/target')
  expect(stderr).toContain('- /missing/old-name\n- /missing/new-name')
})

function readIfExists(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
