import { readdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { type Profile, profileSchema } from '../../shared/deck/contract.ts'
import { assetProblems } from '../deck/assets.ts'
import { DEFAULT_KEYS } from '../../shared/deck/keys.ts'
import { type Deck, type InspectedDeck, inspectDeck } from '../deck/deck.ts'
import { findNameClashes } from '../deck/name-clashes.ts'
import { DeckError, deckProblem } from '../deck/problems.ts'
import type { DeckProblem } from '../../shared/failures/deck-problem.ts'
import { readTask, TaskError } from '../deck/task.ts'
import { packageRoot } from '../lib/paths.ts'
import { fingerprint } from '../environment/workdir.ts'
import { RecordingStore, staleness } from '../recording/store.ts'

/**
 * Reads everything that belongs to a deck, without running anything: slides, steps, contracts, tasks, recordings, and
 * the files that the slides load.
 *
 * @param file the entry file, absolute
 * @returns all problems: errors first, otherwise in the order of files and lines
 * @throws SlidevError
 */
export async function checkDeck(file: string): Promise<DeckProblem[]> {
  const problems = await findProblems(file)
  const files = [...new Set(problems.map((problem) => problem.file))]
  const rank = ({ severity, file: name, line = 0 }: DeckProblem) => [
    severity === 'error' ? 0 : 1,
    files.indexOf(name),
    line,
  ]
  return problems.toSorted((a, b) => compareLists(rank(a), rank(b)))
}

async function findProblems(file: string): Promise<DeckProblem[]> {
  try {
    const inspected = await inspectDeck(file)
    const root = dirname(file)
    return [
      ...inspected.problems,
      ...(await assetProblems(file, inspected)),
      ...(await clashes(inspected)),
      ...(inspected.deck ? await taskProblems(inspected.deck, root) : []),
      ...(inspected.deck ? await recordingProblems(inspected.deck, root) : []),
    ]
  } catch (error) {
    if (error instanceof DeckError) return [...error.problems, ...error.warnings]
    throw error
  }
}

/** The names and keys of the addon that the deck's roots use for something else. */
async function clashes({ deck, slides: { roots, root } }: InspectedDeck): Promise<DeckProblem[]> {
  return findNameClashes({ roots, deck: root }, deck?.keys ?? DEFAULT_KEYS, packageRoot)
}

/** The tasks that no slide presents. The deck has checked the others. */
async function taskProblems({ tasks }: Deck, root: string): Promise<DeckProblem[]> {
  const folders = await readdir(join(root, 'tasks'), { withFileTypes: true }).catch(() => [])
  const unused = folders.filter((entry) => entry.isDirectory() && !tasks.has(entry.name))
  const problems = unused.map(async ({ name }): Promise<DeckProblem[]> => {
    const place = { file: join('tasks', name) }
    const messages = await readTask(root, name).then(
      () => [],
      (error: unknown) => {
        if (error instanceof TaskError) return error.problems
        throw error
      },
    )
    return [
      deckProblem(place, { kind: 'unused-task', task: name }),
      ...messages.map((message) => deckProblem(place, { kind: 'task', message })),
    ]
  })
  return (await Promise.all(problems)).flat()
}

async function recordingProblems({ steps }: Deck, root: string): Promise<DeckProblem[]> {
  const store = new RecordingStore(join(root, 'recordings'))
  const check = async (profile: Profile): Promise<DeckProblem[]> => {
    const recorded = await store.steps(profile)
    if (recorded.length === 0) return []
    const flake = await fingerprint(join(root, 'nix'), profile === 'nixos')
    const problems = recorded.map(async (id) => {
      const place = { file: relative(root, store.file(profile, id, 'cast')) }
      const step = steps.get(id)
      if (!step) return [deckProblem(place, { kind: 'recording-without-step', step: id })]
      const recording = await store.read(profile, id)
      if (!recording) return [deckProblem(place, { kind: 'unreadable-recording', step: id })]
      const reason = staleness(recording.metadata, { hash: step.hash, flake })
      return reason ? [deckProblem(place, { kind: 'stale-recording', step: id, reason })] : []
    })
    return (await Promise.all(problems)).flat()
  }
  return (await Promise.all(profileSchema.options.map(check))).flat()
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, position) => value !== b[position])
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0)
}
