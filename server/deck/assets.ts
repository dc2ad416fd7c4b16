import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import type { InspectedDeck } from './deck.ts'
import { frontmatterLine } from './frontmatter.ts'
import { placeOf } from './load-slides.ts'
import { deckProblem } from './problems.ts'
import type { DeckIssue, DeckProblem, Place } from '../../shared/failures/deck-problem.ts'
import { findRoots } from './roots.ts'
import { loadSlidev } from './slidev.ts'
import type { Reference } from './step.ts'

/** Slidev's components that show the content of other sites. */
const NETWORK_COMPONENTS = ['Tweet', 'BlueSky', 'Youtube']

/**
 * Finds what the slides cannot load: files that do not exist, themes and addons that are not installed, and whatever
 * comes from the network, which the room may not have.
 *
 * @param file the entry file, absolute
 * @throws SlidevError
 */
export async function assetProblems(file: string, deck: InspectedDeck): Promise<DeckProblem[]> {
  const { root, roots } = deck.slides
  const { missing, theme } = await findRoots(file)
  return [
    ...missing,
    ...(await configProblems(file, theme, deck)),
    ...deck.references.flatMap((reference) => {
      const issue = referenceIssue(reference, root, roots)
      return issue ? [deckProblem(reference.place, issue)] : []
    }),
    ...deck.tags.flatMap(({ name, place }) =>
      NETWORK_COMPONENTS.includes(name) ? [deckProblem(place, { kind: 'network-component', component: name })] : [],
    ),
  ]
}

function referenceIssue(
  { url, loadedBy, folder }: Reference,
  root: string,
  roots: readonly string[],
): DeckIssue | undefined {
  // An expression in a template, a place in the page, or the content itself.
  if (/\{\{|^(#|data:|blob:|mailto:|javascript:)/.test(url)) return undefined
  if (/^(https?:)?\/\//.test(url)) return isThisMachine(url) ? undefined : { kind: 'network', url }
  // The first extension is that of a file; a component may take other values, such as the name of an icon.
  const path = decode(url.replace(/[?#].*$/, ''))
  if (loadedBy === 'prop' && !/\.\w+$/.test(path)) return undefined
  const inPublic = roots.map((each) => join(each, 'public', path))
  const candidates =
    loadedBy === 'prop'
      ? inPublic
      : path.startsWith('/')
        ? [...inPublic, join(root, path)]
        : path.startsWith('@/')
          ? [join(root, path.slice(2))]
          : [resolve(folder, path)]
  if (candidates.some((candidate) => existsSync(candidate))) return undefined
  return { kind: 'missing-asset', url, inPublic: loadedBy === 'prop' }
}

function isThisMachine(url: string): boolean {
  return /^(https?:)?\/\/(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/.test(url)
}

function decode(path: string): string {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

const themeSchema = z.object({ slidev: z.record(z.string(), z.unknown()).catch({}).default({}) })

/** What Slidev loads from the network for the whole deck. */
async function configProblems(file: string, theme: string | undefined, deck: InspectedDeck): Promise<DeckProblem[]> {
  const manifest = theme === undefined ? undefined : await readFile(join(theme, 'package.json'), 'utf8').catch(() => '')
  const { slidev: themeSettings } = themeSchema.catch({ slidev: {} }).parse(json(manifest ?? '') ?? {})
  const { parser } = await loadSlidev(file)
  const { fonts, favicon } = parser.resolveConfig(deck.slides.data.headmatter, themeSettings, file)
  const problems: DeckProblem[] = []
  if (fonts.provider !== 'none' && fonts.webfonts.length > 0)
    problems.push(
      deckProblem(placeInHeadmatter(deck, ['fonts']), {
        kind: 'network-fonts',
        fonts: fonts.webfonts,
        provider: fonts.provider,
      }),
    )
  if (/^(https?:)?\/\//.test(favicon))
    problems.push(deckProblem(placeInHeadmatter(deck, ['favicon']), { kind: 'network-favicon', url: favicon }))
  return problems
}

/** The position of a key in the first frontmatter, or of that frontmatter. */
function placeInHeadmatter({ slides }: InspectedDeck, key: readonly string[]): Place {
  const { root, files, data } = slides
  const [source] = data.entry.slides
  if (!source) return { file: relative(root, data.entry.filepath) }
  const file = files.get(source.filepath)
  return placeOf(root, source, file, frontmatterLine(source, file?.lines ?? [], key))
}
