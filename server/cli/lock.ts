import { commandLine } from '../../shared/command-line.ts'
import { Listr } from 'listr2'
import { readDeck } from '../deck/deck.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { writeLock } from '../environment/nix/lock.ts'
import { NixError } from '../environment/nix/nix.ts'
import { progress } from '../environment/runtime-context.ts'
import { openStage } from '../steps/open-stage.ts'

/**
 * Locks the inputs of the deck's flake and writes `nix/flake.lock`.
 *
 * @param options.update whether to update the inputs to their newest versions
 * @throws DeckError, NixError or an Error whose message contains the fix
 */
export async function lockFlake(options: { deck: string; update: boolean }): Promise<void> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const { paths, flake, env } = await openStage({ deck, profile: 'nixos', yes: false }, signal)
  let changed: string[] = []
  let problem: unknown
  await new Listr(
    [
      {
        title: options.update ? 'Update the inputs of the flake' : 'Lock the inputs of the flake',
        task: async (_, task) => {
          changed = await writeLock(
            { workdir: paths.workdir, env, signal },
            flake,
            options.update,
            (line) => (task.output = line),
          ).catch((error: unknown) => {
            problem = error
            task.skip('Failed to lock the flake')
            return []
          })
        },
      },
    ],
    progress,
  ).run()
  signal.throwIfAborted()
  if (problem !== undefined) throw withAdvice(problem)
  console.log(
    changed.length > 0
      ? `Written: ${changed.map((name) => `nix/${name}`).join(', ')}. Rehearse the talk, then commit them.`
      : 'The lock file is up to date.',
  )
}

/** Adds advice to an error of Nix that is caused by a missing network. */
function withAdvice(error: unknown): unknown {
  if (
    !(error instanceof NixError) ||
    !/unable to download|resolve host|Network is unreachable|Timeout was reached|Failed to connect/i.test(error.message)
  )
    return error
  return new Error(
    `${error.message}\nLocking requires a network. Connect this machine and try again: ${commandLine('lock')}. Or use the offline lab: ${commandLine('start', '--profile', 'lab')}`,
  )
}
