import { Listr } from 'listr2'
import { readDeck } from '../deck/deck.ts'
import { interruptSignal } from '../interrupt.ts'
import { writeLock } from '../nix/lock.ts'
import { makeSetting, progress } from '../setting.ts'

/**
 * Locks the deck's flake against nixpkgs and writes `nix/flake.lock` into the tree, to be committed.
 *
 * @param options.update take newer versions of every input
 * @throws DeckError, NixError or an Error whose message says what to do next
 */
export async function lockFlake(options: { deck: string; update: boolean }): Promise<void> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const { paths, flake, env, profile } = await makeSetting({ deck, profile: 'nixos', yes: false }, signal)
  if (profile.notice) console.log(profile.notice)
  let changed: string[] = []
  await new Listr(
    [
      {
        title: options.update ? 'Update the inputs of the flake' : 'Lock the flake',
        task: async (_, task) => {
          changed = await writeLock({ workdir: paths.workdir, env, signal }, flake, options.update, (line) => (task.output = line))
        },
      },
    ],
    progress,
  ).run()
  console.log(changed.length > 0 ? `Written: ${changed.map((name) => `nix/${name}`).join(', ')}. Rehearse, then commit.` : 'The lock file is up to date.')
}
