import { resolve } from 'node:path'
import { Listr } from 'listr2'
import type { Profile } from '../../shared/deck/contract.ts'
import { readDeck } from '../deck/deck.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { importCache, prefetch, type PrefetchReport } from '../environment/nix/prefetch.ts'
import { prepareStep } from '../environment/profile.ts'
import { progress } from '../environment/runtime-context.ts'
import { openStage } from '../steps/open-stage.ts'

export interface PrefetchOptions {
  /** The deck, absolute. */
  deck: string
  profile?: Profile
  yes: boolean
  /** Folder to write a binary cache to, such as a USB stick. */
  export?: string
  /** Folder of a binary cache to import first. */
  import?: string
}

/**
 * Builds and keeps everything that the steps need, so that the talk runs without a network. Prints the steps that
 * require a network nevertheless.
 *
 * @returns whether everything was built
 * @throws DeckError, NixError or an Error whose message contains the fix
 */
export async function prefetchDeck(options: PrefetchOptions): Promise<boolean> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const { paths, profile, executor, env, notices } = await openStage({ ...options, deck }, signal)
  for (const notice of notices) console.log(notice)
  if (profile.problem) return false
  if (profile.name === 'host') {
    console.log('This deck has no flake (nix/flake.nix): nothing to prefetch.')
    return true
  }
  await prepareStep(profile, executor)

  // Removes the settings that forbid downloads after an earlier prefetch.
  const { NIX_CONFIG = '', ...rest } = env
  const context = {
    workdir: paths.workdir,
    env: { ...rest, NIX_CONFIG: NIX_CONFIG.replace(/^(substitute|flake-registry) =.*$/gm, '') },
    signal,
  }
  let report: PrefetchReport | undefined
  await new Listr(
    [
      {
        title: `Import ${options.import ?? ''}`,
        enabled: () => options.import !== undefined,
        task: (_, task) => importCache(context, resolve(options.import ?? ''), (line) => (task.output = line)),
      },
      {
        title: 'Prefetch',
        task: async (_, task) => {
          const cache = options.export === undefined ? undefined : resolve(options.export)
          report = await prefetch(
            context,
            { deck, profile: profile.name, roots: paths.roots, cache },
            (current, completed, total, line) => {
              task.title = `Prefetch ${completed + 1}/${total}: ${current}`
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
  console.log(describe(report, paths.roots))
  return report.installables.every(({ problem }) => problem === undefined)
}

function describe({ installables, paths, bytes, network }: PrefetchReport, roots: string): string {
  const width = Math.max(...installables.map(({ installable }) => installable.length), 0)
  const lines = installables.map(
    ({ installable, steps, seconds, problem }) =>
      `  ${problem === undefined ? 'ok    ' : 'failed'}  ${installable.padEnd(width)}  ${seconds.toFixed(1).padStart(7)} s  ${steps.join(', ')}`,
  )
  for (const { installable, problem } of installables)
    if (problem !== undefined) lines.push('', `${installable} could not be built:`, problem)
  lines.push(
    '',
    `${paths} store paths, ${(bytes / 1e9).toFixed(2)} GB, are protected from garbage collection by links in ${roots}. Remove that folder to release them.`,
  )
  for (const { step, hosts } of network) lines.push(`Step "${step}" still needs the network: ${hosts.join(', ')}.`)
  return `\n${lines.join('\n')}\n`
}
