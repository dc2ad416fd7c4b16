import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readDeck } from '../deck/deck.ts'
import type { Step } from '../deck/step.ts'
import { PrefixExecutor } from '../executor/prefix.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { Requirements } from './requirements.ts'

/** The environment of the steps and that of the server have different programs and variables. */
let folder: string
let executor: PrefixExecutor
let requirements: Requirements
let step: Step

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-requirements-'))
  await writeFile(join(folder, 'only-there'), '#!/bin/sh\n', { mode: 0o755 })
  await writeFile(
    join(folder, 'slides.md'),
    [
      '---\nsteps:\n  one: { needs: { programs: [only-there, only-here], env: [ONLY_THERE, ONLY_HERE] } }\n---\n',
      '```sh {step=one}\ntrue\n```\n',
    ].join('\n'),
  )
  executor = new PrefixExecutor({
    prefix: () => ['env', '-u', 'ONLY_HERE', `PATH=${folder}:/usr/bin:/bin`, 'ONLY_THERE=1', 'sh', '-c'],
    cwd: folder,
    env: {},
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
  requirements = new Requirements({ profile: { name: 'host', env: {} }, executor })
  const found = (await readDeck(join(folder, 'slides.md'))).steps.get('one')
  if (!found) throw new Error('the deck has no step')
  step = found
  vi.stubEnv('ONLY_HERE', '1')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await executor.close()
  await rm(folder, { recursive: true })
})

test('programs and variables are looked up in the environment of the step, not in that of the server', async () => {
  expect(await requirements.missing(step)).toEqual([
    { kind: 'program', program: 'only-here' },
    { kind: 'variable', variable: 'ONLY_HERE' },
  ])
})
