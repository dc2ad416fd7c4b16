import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { expect, test } from 'vitest'
import { affectsCommand, describeNixProblem, findNixProblem } from './features.ts'

const hasNix = execaSync('nix', ['--version'], { reject: false }).exitCode === 0

test.each([
  ['nix build .#image', true],
  ['cd /tmp && nix flake check', true],
  ['FOO=1 nix -L build', true],
  ['sudo nix run nixpkgs#hello', true],
  ['nix --version', false],
  ['nix-build', false],
  ['echo nix build', false],
  ['nix --extra-experimental-features "nix-command flakes" build', false],
])('%s: needs experimental features of Nix: %s', (command, expected) => {
  expect(affectsCommand({ kind: 'disabled-features', features: ['nix-command', 'flakes'] }, command)).toBe(expected)
})

test('without flakes, only commands that need none can run', () => {
  const problem = { kind: 'disabled-features', features: ['flakes'] } as const
  expect(affectsCommand(problem, 'nix eval --expr 1')).toBe(false)
  expect(affectsCommand(problem, 'nix build')).toBe(true)
})

test.skipIf(!hasNix).each([
  ['', 'Nix has "nix-command" and "flakes" disabled'],
  ['nix-command', 'Nix has "flakes" disabled'],
  ['nix-command flakes', undefined],
])('Nix with the features "%s" has the problem: %s', async (features, description) => {
  const home = await mkdtemp(join(tmpdir(), 'understudy-nix-'))
  try {
    await mkdir(join(home, '.config/nix'), { recursive: true })
    await writeFile(join(home, '.config/nix/nix.conf'), `experimental-features = ${features}\n`)
    const problem = await findNixProblem({ HOME: home, PATH: process.env.PATH ?? '' })
    expect(problem && describeNixProblem(problem)).toBe(description)
  } finally {
    await rm(home, { recursive: true })
  }
})
