import { isIPv4 } from 'node:net'
import { InvalidArgumentError } from 'commander'
import { parseTime } from '../../shared/deck/time.ts'
import { type RenderSize, videoSizes } from '../video/render-settings.ts'

/**
 * Parsers of option values and arguments.
 *
 * Each parses the text as typed and throws InvalidArgumentError, which commander reports with the name of the option.
 */

/** The default deck of all commands. */
export const DEFAULT_DECK = 'slides.md'

/** Maximum number of learners of a class. The class view is designed for a classroom. */
const MAX_LEARNERS = 200

/** Learner names that the workshop uses itself: for a single learner, and for the measurement of the capacity. */
const RESERVED_NAMES = ['me', 'trial']

/** Highest number of a slide that an open range such as `3-` includes. */
const MAX_SLIDES = 9999

/** Shortest side of a video, in pixels. */
const MIN_VIDEO_SIDE = 160

/** Highest frame rate of a video, in frames per second. */
const MAX_FRAME_RATE = 60

/**
 * Finds the deck among the arguments of a command that also accepts step ids.
 *
 * The first argument is the deck if it ends in `.md` or contains a slash, since step ids contain neither.
 *
 * @param args the arguments as typed
 * @param option the value of `--deck`
 * @throws Error if the argument and `--deck` name different files
 */
export function splitDeckArgument(args: readonly string[], option?: string): { deck: string; rest: string[] } {
  const [first = '', ...others] = args
  return first.endsWith('.md') || first.includes('/')
    ? { deck: chooseDeck(first, option), rest: others }
    : { deck: chooseDeck(undefined, option), rest: [...args] }
}

/**
 * Chooses between the deck argument and the value of `--deck`.
 *
 * @throws Error if they name different files
 */
export function chooseDeck(argument: string | undefined, option: string | undefined): string {
  if (argument !== undefined && option !== undefined && argument !== option)
    throw new Error(`Two decks are given: "${argument}" and --deck "${option}". Specify only one.`)
  return argument ?? option ?? DEFAULT_DECK
}

export function parsePort(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 65535)
    throw new InvalidArgumentError('Use a whole number from 1 to 65535.')
  return value
}

/**
 * Parses the learners of a class: their number or their names.
 *
 * @returns their names; `learner-1` and so on for a number
 */
export function parseLearners(text: string): string[] {
  const count = Number(text)
  if (Number.isInteger(count)) {
    if (count < 1 || count > MAX_LEARNERS)
      throw new InvalidArgumentError(`Use a number from 1 to ${MAX_LEARNERS}, or names, for example ada,bob.`)
    return Array.from({ length: count }, (_, index) => `learner-${String(index + 1).padStart(text.length, '0')}`)
  }
  const names = text.split(',').map((name) => name.trim())
  for (const name of names) {
    if (RESERVED_NAMES.includes(name)) throw new InvalidArgumentError(`The name "${name}" is reserved.`)
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name))
      throw new InvalidArgumentError(
        `Invalid learner name "${name}": use up to 32 lowercase letters, digits and hyphens. Names appear in links and file names.`,
      )
  }
  if (new Set(names).size < names.length) throw new InvalidArgumentError('Two learners have the same name.')
  return names
}

/**
 * Parses the public origin of a reverse proxy: HTTPS only, so that the input of learners cannot be read on the network.
 */
export function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '')
    throw new InvalidArgumentError('Use an https:// URL without a path, for example https://workshop.example.')
  return url.origin
}

/** Parses the wildcard origin under which each page of a step has its own host. */
export function parsePageUrl(text: string): string {
  if (!text.startsWith('https://*.'))
    throw new InvalidArgumentError(
      'Use an https:// URL whose host begins with "*.", for example https://*.workshop.example.',
    )
  return parsePublicUrl(text.replace('*', 'any')).replace('any', '*')
}

/**
 * Checks whether a page URL belongs to the same site as the public URL: browsers withhold the cookies of a page that is
 * embedded in another site.
 */
export function isSameSite(publicUrl: string, pageUrl: string): boolean {
  const host = new URL(publicUrl).hostname
  const domain = new URL(pageUrl.replace('*.', '')).hostname
  return `.${host}`.endsWith(`.${domain}`) || domain.endsWith(`.${host}`)
}

/** Parses a command whose last argument is a shell command line. */
export function parseCommandPrefix(text: string): string {
  if (text.trim() === '')
    throw new InvalidArgumentError('Use a command that runs its last argument, for example "ssh -T {learner}@lab".')
  return text
}

/** Parses the size of a video: a name or `<width>x<height>` in pixels. */
export function parseVideoSize(text: string): RenderSize {
  const named = videoSizes[text]
  if (named) return named
  const [width = 0, height = 0] = (/^(\d+)x(\d+)$/.exec(text) ?? []).slice(1).map(Number)
  // Video codecs store colors for blocks of two by two pixels.
  if (width < MIN_VIDEO_SIDE || height < MIN_VIDEO_SIDE || width % 2 === 1 || height % 2 === 1)
    throw new InvalidArgumentError(
      `Use ${Object.keys(videoSizes).join(', ')}, or even numbers of pixels from ${MIN_VIDEO_SIDE}, for example 1280x720.`,
    )
  return { width, height, scale: 1 }
}

/** @returns frames per second */
export function parseFrameRate(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > MAX_FRAME_RATE)
    throw new InvalidArgumentError(`Use a whole number of frames per second from 1 to ${MAX_FRAME_RATE}.`)
  return value
}

export function parseIpv4(text: string): string {
  if (!isIPv4(text)) throw new InvalidArgumentError('Use an IPv4 address of this machine, for example 192.0.2.7.')
  return text
}

/**
 * Parses a duration in Slidev's notation.
 *
 * @returns seconds
 */
export function parseDuration(text: string): number {
  const seconds = parseTime(text)
  if (seconds !== undefined && seconds > 0) return seconds
  throw new InvalidArgumentError('Use 90s, 20m or 1:30:00.')
}

/**
 * Parses a range of slides in Slidev's notation, such as `3-5,8`.
 *
 * @returns slide numbers, from 1
 */
export function parseSlides(text: string): number[] {
  const slides = /^\d+(-\d*)?(,\d+(-\d*)?)*$/.test(text) ? text.split(',').flatMap(slidesOfRange) : []
  if (slides.length === 0) throw new InvalidArgumentError('Use slide numbers and ranges, for example 3-5,8.')
  return [...new Set(slides)].sort((a, b) => a - b)
}

/** @param range for example `8`, `3-5` or `3-` */
function slidesOfRange(range: string): number[] {
  const [first = 0, last = first] = range.split('-').map((part) => (part === '' ? MAX_SLIDES : Number(part)))
  return Array.from({ length: Math.max(Math.min(last, MAX_SLIDES) - first + 1, 0) }, (_, index) => first + index)
}
