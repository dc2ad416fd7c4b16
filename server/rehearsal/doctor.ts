import { commandLine } from '../../shared/command-line.ts'
import { describeMissingRequirement, type MissingRequirement } from '../../shared/failures/requirement.ts'
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { type DeckIssue, describePlace } from '../../shared/failures/deck-problem.ts'
import { assetProblems } from '../deck/assets.ts'
import { type Deck, inspectDeck } from '../deck/deck.ts'
import { DeckError } from '../deck/problems.ts'
import type { Step } from '../deck/step.ts'
import type { Diagnosis, Finding } from '../../shared/diagnosis.ts'
import {
  affectsCommand,
  describeNixProblem,
  ENABLE_FEATURES,
  findNixProblem,
  type NixProblem,
} from '../environment/nix/features.ts'
import { prefetchedOn } from '../environment/nix/prefetch.ts'
import type { DeckPaths } from '../lib/paths.ts'
import { findPortHolder } from '../environment/ports.ts'
import { describePortHolder } from '../environment/problems.ts'
import { answersHttps, isPortFree } from '../lib/network-probes.ts'
import { nixVersion, type ProfileRuntime, shellEnvironment } from '../environment/profile.ts'
import type { Recordings } from '../recording/recordings.ts'
import type { Stage } from '../steps/stage.ts'

/**
 * The doctor checks what this machine has and lacks for the talk and for each of its steps, and suggests fixes. It
 * changes nothing.
 */

export interface DoctorContext {
  deck: Deck
  profile: ProfileRuntime
  stage: Stage
  recordings: Recordings
  paths: DeckPaths
  /** The port of a talk that is to be started; undefined if the talk is running. */
  port?: number
}

/**
 * Disk space that each profile needs. Measured for the lab (1.9 GB with every image built), estimated for the closures
 * from nixpkgs.
 */
const DISK_BYTES = { lab: 3e9, nixos: 20e9, host: 0.5e9 } as const
/** Memory for a virtual machine of 1 GiB and a browser. */
const MEMORY_BYTES = 2e9

/**
 * Checks this machine and every step. Takes a few seconds, since it starts a virtual machine and waits for hosts on the
 * network.
 */
export async function diagnose(context: DoctorContext): Promise<Diagnosis> {
  const { deck, profile } = context
  await context.stage.checkRequirements()
  await context.recordings.load(deck)
  const env = shellEnvironment(
    profile,
    [...deck.steps.values()].flatMap(({ contract }) => contract.needs.env),
  )
  const nix = (await nixVersion()) && (await findNixProblem(env))
  const [machine, steps] = await Promise.all([
    diagnoseMachine(context, nix),
    Promise.all([...deck.steps.values()].map((step) => diagnoseStep(context, step, nix))),
  ])
  const ready = machine.every(({ state }) => state !== 'fail') && steps.every(({ can }) => can !== 'nothing')
  return { deck: deck.title, profile: profile.name, ready, machine, steps }
}

async function diagnoseMachine(
  { deck, profile, paths, port }: DoctorContext,
  nixProblem: NixProblem | undefined,
): Promise<Finding[]> {
  const [nix, disk, kvm, prefetched, network] = await Promise.all([
    nixVersion(),
    statfs(dirname(dirname(paths.workdir))).catch(() => statfs(tmpdir())),
    profile.name === 'host' ? undefined : diagnoseKvm(),
    prefetchedOn(paths.roots, paths.workdir, profile.name),
    diagnoseNetwork(deck),
  ])
  const free = disk.bavail * disk.bsize
  const findings: Finding[] = [{ name: 'Node', state: 'ok', detail: process.versions.node }]
  if (profile.problem)
    findings.push({
      name: 'Profile',
      state: 'warn',
      detail: profile.problem,
      fix: `Prepare it with: ${commandLine('start')}`,
    })
  else findings.push({ name: 'Profile', state: 'ok', detail: profile.name })
  if (profile.name !== 'host') {
    findings.push(
      nix
        ? { name: 'Nix', state: 'ok', detail: nix.join('.') }
        : {
            name: 'Nix',
            state: 'warn',
            detail: 'Not installed',
            fix: `On Debian and Ubuntu, install it with: ${commandLine('start')}. Otherwise see https://nixos.org/download`,
          },
    )
    if (nix && !profile.problem)
      findings.push(
        nixProblem
          ? { name: 'Flakes', state: 'fail', detail: describeNixProblem(nixProblem), fix: ENABLE_FEATURES }
          : { name: 'Flakes', state: 'ok', detail: 'Enabled' },
      )
    findings.push(kvm ?? { name: 'KVM', state: 'ok', detail: 'Not needed' })
    findings.push(
      prefetched
        ? { name: 'Prefetched', state: 'ok', detail: prefetched.toISOString() }
        : {
            name: 'Prefetched',
            state: 'warn',
            detail: 'Not done yet, so the first run of a step downloads and builds its dependencies',
            fix: commandLine('prefetch', '--profile', profile.name),
          },
    )
  }
  const enoughDisk = free > DISK_BYTES[profile.name]
  findings.push({
    name: 'Disk',
    state: enoughDisk ? 'ok' : 'warn',
    detail: `${(free / 1e9).toFixed(1)} GB free in ${dirname(dirname(paths.workdir))}`,
    ...(!enoughDisk && { fix: `Free up disk space: ${DISK_BYTES[profile.name] / 1e9} GB are recommended` }),
  })
  findings.push({
    name: 'Memory',
    state: freemem() > MEMORY_BYTES ? 'ok' : 'warn',
    detail: `${(freemem() / 1e9).toFixed(1)} GB free`,
    ...(freemem() <= MEMORY_BYTES && { fix: 'Close other programs' }),
  })
  if (port !== undefined)
    findings.push(
      (await isPortFree(port))
        ? { name: 'Port', state: 'ok', detail: `${port} is free` }
        : {
            name: 'Port',
            state: 'fail',
            detail: describePortHolder(port, await findPortHolder(port)),
            fix: commandLine('start', '--port', String(port + 1)),
          },
    )
  return [...findings, ...network]
}

/** What the slides load from the network, in one finding. `check` describes each with its fix. */
async function diagnoseNetwork({ file }: Deck): Promise<Finding[]> {
  try {
    const problems = await assetProblems(file, await inspectDeck(file))
    const loaded = problems.flatMap((problem) => {
      const what = loadedFromNetwork(problem)
      return what === undefined ? [] : [`${what} (${describePlace(problem)})`]
    })
    if (loaded.length === 0) return []
    const detail = `The deck loads from the network, which the room may not have: ${[...new Set(loaded)].join(', ')}`
    return [{ name: 'Slides', state: 'warn', detail, fix: `For each, see: ${commandLine('check')}` }]
  } catch (error) {
    // The deck is being edited, and its errors are shown elsewhere.
    if (error instanceof DeckError) return []
    throw error
  }
}

function loadedFromNetwork(issue: DeckIssue): string | undefined {
  switch (issue.kind) {
    case 'network':
    case 'network-favicon':
      return issue.url
    case 'network-fonts':
      return `fonts from ${issue.provider}`
    case 'network-component':
      return `<${issue.component}>`
    default:
      return undefined
  }
}

/** The value that the boot sector writes to QEMU's debug exit device. */
const DEBUG_EXIT_VALUE = 0x31
/** The exit status of QEMU for this value (hw/misc/debugexit.c). */
const DEBUG_EXIT_STATUS = DEBUG_EXIT_VALUE * 2 + 1

/**
 * Checks KVM with a virtual machine whose boot sector makes QEMU exit. The existence of /dev/kvm is not sufficient: in
 * a cloud machine it may not work.
 */
async function diagnoseKvm(): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-kvm-'))
  try {
    const sector = Buffer.alloc(512)
    // mov al, DEBUG_EXIT_VALUE; out 0xf4, al; hlt
    Buffer.from([0xb0, DEBUG_EXIT_VALUE, 0xe6, 0xf4, 0xf4]).copy(sector)
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
    if (exitCode === DEBUG_EXIT_STATUS) return { name: 'KVM', state: 'ok', detail: 'Works' }
    const reason = (typeof stderr === 'string' && stderr.trim().split('\n')[0]) || 'QEMU did not start'
    return {
      name: 'KVM',
      state: 'warn',
      detail: `Virtual machines run without it, about ten times slower: ${reason}`,
      fix: 'Add your user to the group kvm, or use a machine with KVM',
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function diagnoseStep(
  { stage, recordings, profile }: DoctorContext,
  step: Step,
  nixProblem: NixProblem | undefined,
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
        fix: 'Stop that program',
      })
  for (const host of needs.network)
    if (!(await answersHttps(host)))
      findings.push({
        name: 'Network',
        state: 'warn',
        detail: `${host} does not respond`,
        fix: 'Check the network connection',
      })
  if (nixProblem && affectsCommand(nixProblem, step.command))
    findings.push({ name: 'Nix', state: 'warn', detail: describeNixProblem(nixProblem), fix: ENABLE_FEATURES })
  const canRun = findings.length === 0

  const recording = recordings.info(step.id)
  const rehearse = commandLine('rehearse', step.id)
  // A rehearsal does not run such a step, so it has no recording.
  const asksUser = confirm !== undefined || Object.keys(inputs).length > 0
  if (!recording && !asksUser)
    findings.push({ name: 'Recording', state: 'warn', detail: 'None to fall back on', fix: rehearse })
  else if (recording?.stale)
    findings.push({
      name: 'Recording',
      state: 'warn',
      detail: `Stale: the ${recording.stale} since ${recording.date}`,
      fix: rehearse,
    })
  else if (recording)
    findings.push({ name: 'Recording', state: 'ok', detail: `${recording.profile}, ${recording.date}` })
  return {
    step: step.id,
    slide: step.slide,
    can: canRun ? 'run' : recording ? 'replay' : asksUser ? 'ask' : 'nothing',
    findings,
  }
}

function fixFor(missing: MissingRequirement, profile: ProfileRuntime): string | undefined {
  switch (missing.kind) {
    case 'program':
      return profile.name === 'nixos'
        ? 'Add it to devShells.default of the flake'
        : `Install ${missing.program}, then run the step again`
    case 'variable':
      return `export ${missing.variable}=…; ${commandLine('start')}`
    case 'network':
      return 'Check the network connection'
    case 'profile':
    case 'profile-problem':
      return undefined
  }
}
