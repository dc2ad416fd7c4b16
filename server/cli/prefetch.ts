import { join, resolve } from 'node:path'
import { Listr } from 'listr2'
import type { Profile } from '../../shared/deck/contract.ts'
import { readDeck } from '../deck/deck.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { prefetch, type PrefetchReport, takeFrom } from '../environment/nix/prefetch.ts'
import { prepareStep } from '../environment/profile.ts'
import { progress } from '../environment/runtime-context.ts'
import { openStage } from '../steps/open-stage.ts'

export interface PrefetchOptions {
  /** The deck, absolute. */
  deck: string
  profile?: Profile
  yes: boolean
  /** Folder of a binary cache to write: a USB stick. */
  to?: string
  /** Folder to take from first. */
  from?: string
}

/**
 * Makes everything that the steps need, so that the talk runs without a network, and says what still needs one.
 *
 * @returns whether everything could be made
 * @throws DeckError, NixError or an Error whose message says what to do next
 */
export async function prefetchDeck(options: PrefetchOptions): Promise<boolean> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const { paths, profile, executor, env, notices } = await openStage({ ...options, deck }, signal)
  for (const notice of notices) console.log(notice)
  if (profile.problem) return false
  if (profile.name === 'host') {
    console.log('This deck has no flake (nix/flake.nix): there is nothing to prefetch.')
    return true
  }
  await prepareStep(profile, executor)

  // What was prefetched before forbids to download; this is the time to.
  const { NIX_CONFIG = '', ...rest } = env
  const place = {
    workdir: paths.workdir,
    env: { ...rest, NIX_CONFIG: NIX_CONFIG.replace(/^(substitute|flake-registry) =.*$/gm, '') },
    signal,
  }
  let report: PrefetchReport | undefined
  await new Listr(
    [
      {
        title: `Take over what is in ${options.from ?? ''}`,
        enabled: () => options.from !== undefined,
        task: (_, task) => takeFrom(place, resolve(options.from ?? ''), (line) => (task.output = line)),
      },
      {
        title: 'Prefetch',
        task: async (_, task) => {
          const to = options.to === undefined ? undefined : resolve(options.to)
          report = await prefetch(
            place,
            { deck, profile: profile.name, roots: paths.roots, to },
            (what, done, total, line) => {
              task.title = `Prefetch ${done + 1}/${total}: ${what}`
              if (line !== undefined) task.output = line
            },
          )
          task.title = 'Prefetch'
        },
      },
    ],
    progress,
  ).run()
  if (!report) return false
  console.log(describe(report, join(paths.roots)))
  return report.installables.every(({ problem }) => problem === undefined)
}

function describe({ installables, paths, bytes, network }: PrefetchReport, roots: string): string {
  const width = Math.max(...installables.map(({ installable }) => installable.length), 0)
  const lines = installables.map(
    ({ installable, steps, seconds, problem }) =>
      `  ${problem === undefined ? 'ok    ' : 'failed'}  ${installable.padEnd(width)}  ${seconds.toFixed(1).padStart(7)} s  ${steps.join(', ')}`,
  )
  for (const { installable, problem } of installables)
    if (problem !== undefined) lines.push('', `${installable} could not be made:`, problem)
  lines.push(
    '',
    `${paths} store paths, ${(bytes / 1e9).toFixed(2)} GB, are kept by links in ${roots}. Remove that folder to give them up.`,
  )
  for (const { step, hosts } of network)
    lines.push(`Step "${step}" needs the network all the same: ${hosts.join(', ')}.`)
  return `\n${lines.join('\n')}\n`
}
