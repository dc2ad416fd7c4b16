import { existsSync } from 'node:fs'
import { mkdir, readdir, readlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { readDeck } from '../../deck/deck.ts'
import { cache, describeWithLab, lab, makeWorkdir, temp } from '../../../nix/lab/for-tests.ts'
import { packageRoot } from '../../lib/paths.ts'
import { devShellEnvironment } from './dev-shell.ts'
import { writeLock } from './lock.ts'
import { type NixContext, NixError } from './nix.ts'
import { importCache, prefetch, prefetchedOn } from './prefetch.ts'

async function labContext(workdir: string): Promise<NixContext> {
  const { stdout } = await execa(join(packageRoot, 'nix/lab/env.sh'), [cache])
  const env = Object.fromEntries(
    stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  return { workdir, env: { HOME: process.env.HOME ?? '', ...env } }
}

async function deckWith(...installables: string[]) {
  const folder = join(temp, `deck-${installables.length}`)
  await mkdir(folder, { recursive: true })
  await writeFile(
    join(folder, 'slides.md'),
    `---\nsteps:\n  build: { needs: { installables: ${JSON.stringify(installables)} } }\n  rent: { needs: { network: [api.hetzner.cloud] } }\n---\n\n# Build\n\n\`\`\`sh {step=build}\nnix build\n\`\`\`\n\n\`\`\`sh {step=rent}\nhcloud server create\n\`\`\`\n`,
  )
  return readDeck(join(folder, 'slides.md'))
}

describeWithLab('prefetch', () => {
  test(
    'prefetch builds what the steps need, protects it from garbage collection and reports steps that need the network',
    { timeout: 180_000 },
    async () => {
      const context = await labContext(await makeWorkdir())
      const roots = join(temp, 'roots')
      const stick = join(temp, 'stick')
      const seen: string[] = []
      const report = await prefetch(
        context,
        { deck: await deckWith('.#spa'), profile: 'lab', roots, cache: stick },
        (task) => seen.push(task),
      )

      expect(report.installables).toEqual([{ installable: '.#spa', steps: ['build'], seconds: expect.any(Number) }])
      expect(report.network).toEqual([{ step: 'rent', hosts: ['api.hetzner.cloud'] }])
      expect(report.bytes).toBeGreaterThan(1000)
      expect(new Set(seen)).toEqual(new Set(['inputs of the flake', '.#spa', 'build dependencies', `copy to ${stick}`]))
      const [links] = (await readdir(roots)).filter((name) => name !== 'prefetched.json')
      const output = await readlink(join(roots, links ?? '', 'output-0'))
      // The links are registered as garbage collection roots …
      const { stdout } = await lab(context.workdir, 'nix-store', ['--query', '--roots', output])
      expect(stdout).toContain(join(roots, links ?? ''))
      // … and include the flake's sources and its build dependencies.
      const kept = await Promise.all(
        (await readdir(join(roots, links ?? ''))).map((name) => readlink(join(roots, links ?? '', name))),
      )
      expect(kept.some((path) => path.endsWith('-source'))).toBe(true)
      expect(kept.length).toBeGreaterThan(5)
      expect((await readdir(stick)).filter((name) => name.endsWith('.narinfo')).length).toBeGreaterThan(5)

      expect(await prefetchedOn(roots, context.workdir, 'lab')).toBeInstanceOf(Date)
      expect(await prefetchedOn(roots, context.workdir, 'nixos')).toBeUndefined()
      await importCache(context, stick)
      await writeFile(join(stick, 'understudy-paths'), '--delete\n')
      await expect(importCache(context, stick)).rejects.toThrow('invalid store path')
      await expect(importCache(context, temp)).rejects.toThrow('does not contain understudy-paths')

      // A second prefetch replaces the links of the first.
      await prefetch(context, { deck: await deckWith('.#spa'), profile: 'lab', roots })
      expect((await readdir(roots)).filter((name) => name !== 'prefetched.json')).not.toContain(links)
      await writeFile(join(context.workdir, 'flake.lock'), '{}')
      expect(await prefetchedOn(roots, context.workdir, 'lab')).toBeUndefined()
    },
  )

  test(
    'prefetch reports an installable that fails, builds the others and does not count as completed',
    { timeout: 120_000 },
    async () => {
      const context = await labContext(await makeWorkdir())
      const roots = join(temp, 'roots-failing')
      const report = await prefetch(context, { deck: await deckWith('.#nothing', '.#spa'), profile: 'lab', roots })
      expect(report.installables.map(({ installable, problem }) => [installable, problem !== undefined])).toEqual([
        ['.#nothing', true],
        ['.#spa', false],
      ])
      expect(report.installables[0]?.problem).toContain('does not provide attribute')
      expect(await prefetchedOn(roots, context.workdir, 'lab')).toBeUndefined()
    },
  )

  test('devShellEnvironment puts the programs of the shell first in PATH', { timeout: 120_000 }, async () => {
    const context = await labContext(await makeWorkdir())
    const temporaryFolders = async () =>
      (await readdir(tmpdir())).filter((name) => /^(nix|understudy)-shell/.test(name))
    const before = await temporaryFolders()
    const env = await devShellEnvironment(context, join(temp, 'dev-shell'))
    expect(await temporaryFolders()).toEqual(before)
    expect(env.PATH?.endsWith(context.env.PATH ?? '')).toBe(true)
    expect(env.PATH?.startsWith('/nix/store/')).toBe(true)
    expect(env).not.toHaveProperty('HOME')
    expect(env).not.toHaveProperty('shellHook')
    const { stdout } = await execa('bash', ['-c', 'type -P nixos-rebuild'], { env, extendEnv: false })
    expect(stdout).toContain('/nix/store/')
  })

  test('prefetch fails with the message of Nix if the flake is invalid', async () => {
    const context = await labContext(await makeWorkdir())
    await writeFile(join(context.workdir, 'flake.nix'), '{ outputs = }')
    await expect(
      prefetch(context, { deck: await deckWith('.#spa'), profile: 'lab', roots: join(temp, 'roots-broken') }),
    ).rejects.toThrow(NixError)
    await expect(
      prefetch(context, { deck: await deckWith('.#spa'), profile: 'lab', roots: join(temp, 'roots-broken') }),
    ).rejects.toThrow(/syntax error/)
  })
})

describeWithLab('lock', () => {
  test('writeLock copies a changed lock file from the workdir to the flake', { timeout: 60_000 }, async () => {
    const workdir = join(temp, 'lock-work')
    const tree = join(temp, 'lock-tree')
    const input = join(temp, 'lock-input')
    for (const folder of [workdir, tree, input]) await mkdir(folder)
    await writeFile(join(input, 'flake.nix'), '{ outputs = _: { }; }')
    await writeFile(join(workdir, 'flake.nix'), `{ inputs.other.url = "path:${input}"; outputs = _: { }; }`)
    const context = await labContext(workdir)
    expect(await writeLock(context, tree, false)).toEqual(['flake.lock'])
    expect(existsSync(join(tree, 'flake.lock'))).toBe(true)
    expect(await writeLock(context, tree, false)).toEqual([])
  })
})
