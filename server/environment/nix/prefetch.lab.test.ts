import { existsSync } from 'node:fs'
import { mkdir, readdir, readlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { readDeck } from '../../deck/deck.ts'
import { cache, describeWithLab, lab, makeWorkdir, temp } from '../../../nix/lab/for-tests.ts'
import { devShellEnvironment } from './dev-shell.ts'
import { writeLock } from './lock.ts'
import { NixError, type NixPlace } from './nix.ts'
import { prefetch, prefetchedOn, takeFrom } from './prefetch.ts'

async function labPlace(workdir: string): Promise<NixPlace> {
  const { stdout } = await execa(join(import.meta.dirname, '../../../nix/lab/env.sh'), [cache])
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
    'makes what the steps need, keeps it from garbage collection, and says what still needs the network',
    { timeout: 180_000 },
    async () => {
      const place = await labPlace(await makeWorkdir())
      const roots = join(temp, 'roots')
      const stick = join(temp, 'stick')
      const seen: string[] = []
      const report = await prefetch(
        place,
        { deck: await deckWith('.#spa'), profile: 'lab', roots, to: stick },
        (what) => seen.push(what),
      )

      expect(report.installables).toEqual([{ installable: '.#spa', steps: ['build'], seconds: expect.any(Number) }])
      expect(report.network).toEqual([{ step: 'rent', hosts: ['api.hetzner.cloud'] }])
      expect(report.bytes).toBeGreaterThan(1000)
      expect(new Set(seen)).toEqual(
        new Set(['the inputs of the flake', '.#spa', 'what a build after an edit needs', `the copy in ${stick}`]),
      )
      const [links] = (await readdir(roots)).filter((name) => name !== 'prefetched.json')
      const output = await readlink(join(roots, links ?? '', 'output-0'))
      // Nix knows of the links, so a collection spares what they name …
      const { stdout } = await lab(place.workdir, 'nix-store', ['--query', '--roots', output])
      expect(stdout).toContain(join(roots, links ?? ''))
      // … the flake's own sources and the programs that build it again included.
      const kept = await Promise.all(
        (await readdir(join(roots, links ?? ''))).map((name) => readlink(join(roots, links ?? '', name))),
      )
      expect(kept.some((path) => path.endsWith('-source'))).toBe(true)
      expect(kept.length).toBeGreaterThan(5)
      expect((await readdir(stick)).filter((name) => name.endsWith('.narinfo')).length).toBeGreaterThan(5)

      expect(await prefetchedOn(roots, place.workdir, 'lab')).toBeInstanceOf(Date)
      expect(await prefetchedOn(roots, place.workdir, 'nixos')).toBeUndefined()
      await takeFrom(place, stick)
      await writeFile(join(stick, 'understudy-paths'), '--delete\n')
      await expect(takeFrom(place, stick)).rejects.toThrow('no store path')
      await expect(takeFrom(place, temp)).rejects.toThrow('There is no understudy-paths')

      // A second time: the links of the first go, those of the second stay.
      await prefetch(place, { deck: await deckWith('.#spa'), profile: 'lab', roots })
      expect((await readdir(roots)).filter((name) => name !== 'prefetched.json')).not.toContain(links)
      await writeFile(join(place.workdir, 'flake.lock'), '{}')
      expect(await prefetchedOn(roots, place.workdir, 'lab')).toBeUndefined()
    },
  )

  test(
    'names what cannot be made, makes the rest, and does not say that it is all there',
    { timeout: 120_000 },
    async () => {
      const place = await labPlace(await makeWorkdir())
      const roots = join(temp, 'roots-failing')
      const report = await prefetch(place, { deck: await deckWith('.#nothing', '.#spa'), profile: 'lab', roots })
      expect(report.installables.map(({ installable, problem }) => [installable, problem !== undefined])).toEqual([
        ['.#nothing', true],
        ['.#spa', false],
      ])
      expect(report.installables[0]?.problem).toContain('does not provide attribute')
      expect(await prefetchedOn(roots, place.workdir, 'lab')).toBeUndefined()
    },
  )

  test('the programs of the development shell come before those of the machine', { timeout: 120_000 }, async () => {
    const place = await labPlace(await makeWorkdir())
    const left = async () => (await readdir(tmpdir())).filter((name) => /^(nix|understudy)-shell/.test(name))
    const before = await left()
    const env = await devShellEnvironment(place, join(temp, 'dev-shell'))
    expect(await left()).toEqual(before)
    expect(env.PATH?.endsWith(place.env.PATH ?? '')).toBe(true)
    expect(env.PATH?.startsWith('/nix/store/')).toBe(true)
    expect(env).not.toHaveProperty('HOME')
    expect(env).not.toHaveProperty('shellHook')
    const { stdout } = await execa('bash', ['-c', 'type -P nixos-rebuild'], { env, extendEnv: false })
    expect(stdout).toContain('/nix/store/')
  })

  test('a broken flake is told in the words of Nix', async () => {
    const place = await labPlace(await makeWorkdir())
    await writeFile(join(place.workdir, 'flake.nix'), '{ outputs = }')
    await expect(
      prefetch(place, { deck: await deckWith('.#spa'), profile: 'lab', roots: join(temp, 'roots-broken') }),
    ).rejects.toThrow(NixError)
    await expect(
      prefetch(place, { deck: await deckWith('.#spa'), profile: 'lab', roots: join(temp, 'roots-broken') }),
    ).rejects.toThrow(/syntax error/)
  })
})

describeWithLab('lock', () => {
  test('writes the lock file of the workdir into the tree, once', { timeout: 60_000 }, async () => {
    const workdir = join(temp, 'lock-work')
    const tree = join(temp, 'lock-tree')
    const input = join(temp, 'lock-input')
    for (const folder of [workdir, tree, input]) await mkdir(folder)
    await writeFile(join(input, 'flake.nix'), '{ outputs = _: { }; }')
    await writeFile(join(workdir, 'flake.nix'), `{ inputs.other.url = "path:${input}"; outputs = _: { }; }`)
    const place = await labPlace(workdir)
    expect(await writeLock(place, tree, false)).toEqual(['flake.lock'])
    expect(existsSync(join(tree, 'flake.lock'))).toBe(true)
    expect(await writeLock(place, tree, false)).toEqual([])
  })
})
