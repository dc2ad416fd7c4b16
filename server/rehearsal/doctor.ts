import { describeMissingRequirement, type MissingRequirement } from '../../shared/failures/requirement.ts'
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import type { Deck } from '../deck/deck.ts'
import type { Step } from '../deck/step.ts'
import type { Diagnosis, Finding } from '../../shared/diagnosis.ts'
import { prefetchedOn } from '../environment/nix/prefetch.ts'
import type { DeckPaths } from '../lib/paths.ts'
import { findPortHolder } from '../environment/ports.ts'
import { describePortHolder } from '../environment/problems.ts'
import { answersHttps, isPortFree } from '../lib/network-probes.ts'
import { nixVersion, type ProfileRuntime } from '../environment/profile.ts'
import type { Recordings } from '../recording/recordings.ts'
import type { Stage } from '../steps/stage.ts'

/**
 * The doctor: what this machine has and lacks, for the talk and for each of its steps, with what mends it. It looks and changes nothing.
 */

export interface DoctorContext {
  deck: Deck
  profile: ProfileRuntime
  stage: Stage
  recordings: Recordings
  paths: DeckPaths
  /** The port of the talk; undefined where the talk itself asks. */
  port?: number
}

/** Bytes that the lab and its images take (measured: 1.9 GB with every image built), and what nixpkgs' closures take about. */
const DISK = { lab: 3e9, nixos: 20e9, host: 0.5e9 } as const
/** Bytes of memory for a guest of 1 GiB and a browser beside it. */
const MEMORY = 2e9

/** Looks at everything. Takes a few seconds: it boots a boot sector, and asks the network. */
export async function diagnose(context: DoctorContext): Promise<Diagnosis> {
  const { deck, profile } = context
  await context.stage.checkRequirements()
  await context.recordings.load(deck)
  const [machine, steps] = await Promise.all([
    diagnoseMachine(context),
    Promise.all([...deck.steps.values()].map((step) => diagnoseStep(context, step))),
  ])
  const ready = machine.every(({ state }) => state !== 'fail') && steps.every(({ can }) => can !== 'nothing')
  return { deck: deck.title, profile: profile.name, ready, machine, steps }
}

async function diagnoseMachine({ profile, paths, port }: DoctorContext): Promise<Finding[]> {
  const [nix, disk, kvm, prefetched] = await Promise.all([
    nixVersion(),
    statfs(dirname(dirname(paths.workdir))).catch(() => statfs(tmpdir())),
    profile.name === 'host' ? undefined : bootsWithKvm(),
    prefetchedOn(paths.roots, paths.workdir, profile.name),
  ])
  const free = disk.bavail * disk.bsize
  const findings: Finding[] = [{ name: 'Node', state: 'ok', detail: process.versions.node }]
  if (profile.problem)
    findings.push({
      name: 'Profile',
      state: 'warn',
      detail: profile.problem,
      fix: 'npm start installs and prepares it',
    })
  else findings.push({ name: 'Profile', state: 'ok', detail: profile.name })
  if (profile.name !== 'host') {
    findings.push(
      nix
        ? { name: 'Nix', state: 'ok', detail: nix.join('.') }
        : {
            name: 'Nix',
            state: 'warn',
            detail: 'There is no Nix.',
            fix: 'npm start installs it on Debian and Ubuntu; else https://nixos.org/download',
          },
    )
    if (nix && !profile.problem) findings.push(await flakes(profile))
    findings.push(kvm ?? { name: 'KVM', state: 'ok', detail: 'not needed' })
    findings.push(
      prefetched
        ? { name: 'Prefetched', state: 'ok', detail: prefetched.toISOString() }
        : {
            name: 'Prefetched',
            state: 'warn',
            detail: 'The first run of a step builds what it needs.',
            fix: `npm run prefetch -- --profile ${profile.name}`,
          },
    )
  }
  const enough = free > DISK[profile.name]
  findings.push({
    name: 'Disk',
    state: enough ? 'ok' : 'warn',
    detail: `${(free / 1e9).toFixed(1)} GB are free at ${dirname(dirname(paths.workdir))}`,
    ...(!enough && { fix: `Free some: ${DISK[profile.name] / 1e9} GB are wanted` }),
  })
  findings.push({
    name: 'Memory',
    state: freemem() > MEMORY ? 'ok' : 'warn',
    detail: `${(freemem() / 1e9).toFixed(1)} GB are free`,
    ...(freemem() <= MEMORY && { fix: 'Close other programs' }),
  })
  if (port !== undefined)
    findings.push(
      (await isPortFree(port))
        ? { name: 'Port', state: 'ok', detail: `${port} is free` }
        : {
            name: 'Port',
            state: 'fail',
            detail: describePortHolder(port, await findPortHolder(port)),
            fix: `npm start -- --port ${port + 1}`,
          },
    )
  return findings
}

async function flakes({ env }: ProfileRuntime): Promise<Finding> {
  const { exitCode, stderr } = await execa('nix', ['eval', '--expr', '1'], { env, reject: false })
  return exitCode === 0
    ? { name: 'Flakes', state: 'ok', detail: 'on' }
    : {
        name: 'Flakes',
        state: 'fail',
        detail: String(stderr).split('\n')[0] ?? '',
        fix: 'experimental-features = nix-command flakes in nix.conf',
      }
}

/**
 * Whether KVM really boots something: a boot sector that leaves by QEMU's debug exit (hw/misc/debugexit.c: status is value × 2 + 1).
 * A machine in the cloud may show /dev/kvm and not let it work.
 */
async function bootsWithKvm(): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-kvm-'))
  try {
    const sector = Buffer.alloc(512)
    // mov al, 0x31; out 0xf4, al; hlt
    Buffer.from([0xb0, 0x31, 0xe6, 0xf4, 0xf4]).copy(sector)
    sector.writeUInt16LE(0xaa55, 510)
    const image = join(folder, 'boot.img')
    await writeFile(image, sector)
    const args = [
      '-accel',
      'kvm',
      '-display',
      'none',
      '-nodefaults',
      '-device',
      'isa-debug-exit,iobase=0xf4,iosize=0x04',
      '-drive',
      `file=${image},format=raw,if=ide`,
    ]
    const { exitCode, stderr } = await execa('qemu-system-x86_64', args, {
      reject: false,
      timeout: 10_000,
      stdin: 'ignore',
    })
    if (exitCode === 0x31 * 2 + 1) return { name: 'KVM', state: 'ok', detail: 'boots' }
    const why = (typeof stderr === 'string' && stderr.trim().split('\n')[0]) || 'QEMU did not start'
    return {
      name: 'KVM',
      state: 'warn',
      detail: `Guests run without it, some ten times slower: ${why}`,
      fix: 'Give your user /dev/kvm (group kvm), or use a machine that has it',
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function diagnoseStep(
  { stage, recordings, profile }: DoctorContext,
  step: Step,
): Promise<Diagnosis['steps'][number]> {
  const { needs, confirm, inputs } = step.contract
  const status = stage.steps().find(({ id }) => id === step.id)?.status
  const missing = status?.state === 'unavailable' ? status.missing : []
  const findings: Finding[] = missing.map((requirement) => {
    const fix = fixFor(requirement, profile)
    return {
      name: 'Needs',
      state: 'warn',
      detail: describeMissingRequirement(requirement),
      ...(fix !== undefined && { fix }),
    }
  })
  const running = status?.state === 'running' || status?.state === 'ready'
  for (const port of needs.ports)
    if (!running && !(await isPortFree(port)))
      findings.push({
        name: 'Port',
        state: 'warn',
        detail: describePortHolder(port, await findPortHolder(port)),
        fix: 'End that program',
      })
  for (const host of needs.network)
    if (!(await answersHttps(host)))
      findings.push({ name: 'Network', state: 'warn', detail: `${host} does not answer`, fix: 'Connect to a network' })
  const lacking = findings.length > 0

  const recording = recordings.info(step.id)
  const rehearse = `npm run rehearse -- ${step.id}`
  // What asks for a word is never rehearsed, so it has no recording to be missed.
  const asks = confirm !== undefined || Object.keys(inputs).length > 0
  if (!recording && !asks)
    findings.push({ name: 'Recording', state: 'warn', detail: 'There is none to fall back on.', fix: rehearse })
  else if (recording?.stale)
    findings.push({
      name: 'Recording',
      state: 'warn',
      detail: `Stale: the ${recording.stale} since ${recording.date}.`,
      fix: rehearse,
    })
  else if (recording)
    findings.push({ name: 'Recording', state: 'ok', detail: `${recording.profile}, ${recording.date}` })
  return {
    step: step.id,
    slide: step.slide,
    can: !lacking ? 'run' : recording ? 'replay' : asks ? 'ask' : 'nothing',
    findings,
  }
}

function fixFor(missing: MissingRequirement, profile: ProfileRuntime): string | undefined {
  switch (missing.kind) {
    case 'program':
      return profile.name === 'nixos'
        ? 'Add it to devShells.default'
        : `Install ${missing.program}, then run the step again`
    case 'variable':
      return `export ${missing.variable}=…; npm start`
    case 'network':
      return 'Connect to a network'
    case 'profile':
    case 'profile-problem':
      return undefined
  }
}
