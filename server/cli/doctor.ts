import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import { readDeck } from '../deck/deck.ts'
import type { Diagnosis, Finding } from '../../shared/diagnosis.ts'
import { diagnose } from '../rehearsal/doctor.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { deckPaths } from '../lib/paths.ts'
import { chooseProfile, presentProfile, shellEnvironment } from '../environment/profile.ts'
import { Recordings } from '../recording/recordings.ts'
import { Stage } from '../steps/stage.ts'
import { fingerprint } from '../environment/workdir.ts'
import { printWarnings } from './warnings.ts'

export interface DoctorOptions {
  /** The deck, absolute. */
  deck: string
  profile?: Profile
  port: number
  json: boolean
}

/** Time limit for determining the profile that this machine supports. */
const CHOOSE_TIMEOUT_MS = 60_000

/**
 * Prints whether this machine can run each step, and fixes for problems. Does not install, prepare or change anything.
 *
 * @returns whether every slide can show its steps, live or as recordings
 * @throws DeckError
 */
export async function printDiagnosis(options: DoctorOptions): Promise<boolean> {
  const deck = await readDeck(options.deck)
  printWarnings(deck)
  const paths = deckPaths(deck.file)
  const flake = join(dirname(deck.file), 'nix')
  const signal = AbortSignal.timeout(CHOOSE_TIMEOUT_MS)
  const name = options.profile ?? (existsSync(join(flake, 'flake.nix')) ? await chooseProfile(flake, signal) : 'host')
  const profile = await presentProfile(name, paths)
  const env = shellEnvironment(
    profile,
    [...deck.steps.values()].flatMap((step) => step.contract.needs.env),
  )
  const executor = new LocalExecutor({ cwd: paths.workdir, env, registry: new ProcessRegistry(paths.registry) })
  const recordings = new Recordings(join(dirname(deck.file), 'recordings'), name, (of) =>
    fingerprint(flake, of === 'nixos'),
  )
  const stage = new Stage({ deck, profile, executor, resetWorkdir: async () => {}, recordings })
  const diagnosis = await diagnose({ deck, profile, stage, recordings, paths, port: options.port })
  console.log(options.json ? JSON.stringify(diagnosis, undefined, 2) : describe(diagnosis))
  return diagnosis.ready
}

const SIGN = { ok: '✔', warn: '!', fail: '✖' } as const
const STEP_LABEL = { run: '✔ runs', replay: '! replay only', ask: '! cannot run', nothing: '✖ no recording' } as const

function describe({ profile, machine, steps, ready }: Diagnosis): string {
  const line = ({ name, state, detail, fix }: Finding) =>
    `${SIGN[state]} ${name.padEnd(10)}  ${detail.replaceAll('\n', ' ')}${fix === undefined ? '' : `\n  ${' '.repeat(10)}  → ${fix}`}`
  const width = Math.max(...steps.map(({ step }) => step.length), 0)
  const lines = [`This machine (profile ${profile})`, ...machine.map(line), '', 'Steps']
  for (const { step, slide, can, findings } of steps) {
    lines.push(`${STEP_LABEL[can].padEnd(18)}  ${step.padEnd(width)}  slide ${slide}`)
    for (const finding of findings)
      if (finding.state !== 'ok') lines.push(`  ${line(finding).replaceAll('\n', '\n  ')}`)
  }
  lines.push('', ready ? 'Ready to present.' : 'Not ready: fix the items marked ✖.')
  return lines.join('\n')
}
