import { Listr } from 'listr2'
import { readDeck } from '../deck/deck.ts'
import { interruptSignal } from '../interrupt.ts'
import { writeLock } from '../nix/lock.ts'
import { NixError } from '../nix/nix.ts'
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
          changed = await writeLock({ workdir: paths.workdir, env, signal }, flake, options.update, (line) => (task.output = line)).catch(explain)
        },
      },
    ],
    progress,
  ).run()
  console.log(changed.length > 0 ? `Written: ${changed.map((name) => `nix/${name}`).join(', ')}. Rehearse, then commit.` : 'The lock file is up to date.')
}

/** Nix says the same of each try, and nothing of what to do. */
function explain(error: unknown): never {
  if (!(error instanceof NixError)) throw error
  const lines = error.message.split('\n').map((line) => line.trim())
  const offline = /unable to download|Could(n't| not) resolve|Network is unreachable|Timeout was reached|Failed to connect/i.test(error.message)
  const said = [...new Set(lines.filter((line) => !line.startsWith('warning:')))].join('\n')
  throw new Error(offline ? `${said}\nLocking needs a network: run npm run lock again where there is one. Without a lock file the talk runs in the offline lab: npm start -- --profile lab` : said)
}
