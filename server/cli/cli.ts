import { isIPv4 } from 'node:net'
import { resolve } from 'node:path'
import { parseRangeString, parseTimeString } from '@slidev/parser/utils'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { ExportFormat } from './export.ts'
import type { RecordOptions } from './record.ts'
import type { RehearseOptions } from './rehearse.ts'
import type { ClassOptions } from './class.ts'
import type { Profile } from '../../shared/deck/contract.ts'
import { DeckError } from '../deck/deck.ts'
import { videoSizes } from '../video/render-settings.ts'
import { BuildError } from '../deck/slidev.ts'
import type { StartOptions } from './start.ts'

// Each command is loaded when it is asked for: together they take twice as long as the slides.
const program = new Command('slidev-addon-understudy').description(
  'Slides whose commands run for real, in terminals on the slides',
)

for (const [name, description] of [
  ['start', 'give the talk: serve the built deck and its terminals'],
  ['dev', 'write the talk: the same, with Slidev’s live reload'],
] as const) {
  const command = program
    .command(name)
    .description(description)
    .argument('[deck]', 'the slides', 'slides.md')
    .option('-p, --port <port>', 'the one port of the server', port, 3030)
    .addOption(new Option('--profile <profile>', 'what the steps run against').choices(['nixos', 'lab', 'host']))
    .option('-y, --yes', 'install missing system packages without asking', false)
    .option('--no-open', 'do not open a browser')
    .option('--log [file]', 'keep a log of the talk as its audience sees it, to make a video of it afterwards')
    .action(async (deck: string, options: Omit<StartOptions, 'deck' | 'develop'>) =>
      (await import('./start.ts')).start({ deck: resolve(deck), ...options, develop: name === 'dev' }),
    )
  // Slidev's development server reads and writes files: it is nobody else's.
  if (name === 'start')
    command
      .option('--share', 'let the local network look: prints a link and a QR code for the audience')
      .addOption(new Option('--share-address <address>', 'share at this address of this machine').argParser(ipv4))
      .option('--insecure-remote', 'share, and let a paired phone run steps over plain HTTP')
}

program
  .command('workshop')
  .description(
    'take the talk as a course, alone or as a class: slides, tasks, a terminal, and an editor on a copy of the flake that is yours',
  )
  .argument('[deck]', 'the slides', 'slides.md')
  .option('-p, --port <port>', 'the one port of the server', port, 3030)
  .addOption(
    new Option('--profile <profile>', 'what the steps and tasks run against').choices(['nixos', 'lab', 'host']),
  )
  .option('-y, --yes', 'install missing system packages without asking', false)
  .option(
    '--gate',
    'open slides and tasks one after the other: each once the one before it is passed or skipped',
    false,
  )
  .option('--no-open', 'do not open a browser')
  .option(
    '--learners <learners>',
    'for a class: how many, or their names (ada,bob), each in a container on this machine',
    learners,
  )
  .option(
    '--at <address>',
    'where a proxy with TLS on this machine serves the class, as https://workshop.example: the links lead there',
    secure,
  )
  .option(
    '--pages-at <address>',
    'what that proxy calls the pages of steps, each a host of its own, as https://*.workshop.example',
    wildcard,
  )
  .option(
    '--command-prefix <command>',
    'have the learners’ shells run elsewhere by this command, as "ssh -T {learner}@lab"',
    command,
  )
  .option(
    '--terminal-prefix <command>',
    'the same where there is a terminal, as "ssh -tt {learner}@lab"; as --command-prefix unless given',
    command,
  )
  .action(
    async (
      deck: string,
      { learners, gate, ...options }: Omit<ClassOptions, 'deck' | 'learners' | 'sequential'> & {
        learners?: string[]
        gate: boolean
      },
    ) => {
      if (options.pagesAt !== undefined && !areOneSite(options.at, options.pagesAt))
        throw new Error(
          '--pages-at goes with --at, below the same name: --at https://workshop.example --pages-at https://*.workshop.example. Browsers keep the cookie of a page that is shown within another site from it.',
        )
      if (learners) return (await import('./class.ts')).openClass({ deck: resolve(deck), ...options, sequential: gate, learners })
      if (options.commandPrefix ?? options.terminalPrefix ?? options.at)
        throw new Error(
          '--at, --command-prefix and --terminal-prefix are for a class: say how many learners there are by --learners.',
        )
      return (await import('./workshop.ts')).openWorkshop({ deck: resolve(deck), ...options, sequential: gate })
    },
  )

program
  .command('prefetch')
  .description('make and keep everything that the steps need, so that the talk runs without a network')
  .argument('[deck]', 'the slides', 'slides.md')
  .addOption(new Option('--profile <profile>', 'what the steps run against').choices(['nixos', 'lab']))
  .option('-y, --yes', 'install missing system packages without asking', false)
  .option('--to <folder>', 'write a binary cache as well: to a USB stick')
  .option('--from <folder>', 'take over what was written there first')
  .action(async (deck: string, options: { profile?: Profile; yes: boolean; to?: string; from?: string }) => {
    const { prefetchDeck } = await import('./prefetch.ts')
    if (!(await prefetchDeck({ deck: resolve(deck), ...options }))) process.exitCode = 1
  })

program
  .command('rehearse')
  .description('run every step of the deck, hold it against its contract, and keep good runs as recordings')
  .argument('[steps...]', 'ids of the steps to run; all of them unless given')
  .option('--deck <deck>', 'the slides', 'slides.md')
  .option('--only <steps...>', 'the same as naming them')
  .option('--from <step>', 'the first step to run')
  .addOption(new Option('--profile <profile>', 'what the steps run against').choices(['nixos', 'lab', 'host']))
  .option('-y, --yes', 'install missing system packages without asking', false)
  .option('--keep-going', 'go on after a step that failed', false)
  .option('--time-limit <time>', 'for all of it: 90s, 20m, 1:30:00', time)
  .option('--json <file>', 'write the report there')
  .option('--junit <file>', 'write the report for a CI system there')
  .option('--fresh', 'have Nix build again what the steps build, so that recordings show the work', false)
  .option('--no-record', 'do not keep good runs as recordings')
  .action(
    async (steps: string[], { only = [], deck, ...options }: Omit<RehearseOptions, 'steps'> & { only?: string[] }) => {
      const { rehearseDeck } = await import('./rehearse.ts')
      const { succeeded } = await rehearseDeck({ ...options, deck: resolve(deck), steps: [...steps, ...only] })
      if (!succeeded) process.exitCode = 1
    },
  )

program
  .command('play')
  .description(
    'play the recording of a step, or the log of a terminal of an earlier talk; without a name it lists both',
  )
  .argument('[what]', 'the id of a step, or the number of a log')
  .option('--deck <deck>', 'the slides', 'slides.md')
  .addOption(new Option('--profile <profile>', 'whose recordings').choices(['nixos', 'lab', 'host']))
  .action(async (what: string | undefined, { deck, ...options }: { deck: string; profile?: Profile }) =>
    (await import('./play.ts')).play({ deck: resolve(deck), what, ...options }),
  )

program
  .command('build')
  .description('build a static site whose terminals replay: no server, any sub-path')
  .argument('[deck]', 'the slides', 'slides.md')
  .option('-o, --out <folder>', 'the folder of the site', 'dist')
  .addOption(new Option('--profile <profile>', 'whose recordings are shown').choices(['nixos', 'lab', 'host']))
  .option('--with-notes', 'put the speaker notes into the site', false)
  .action(async (deck: string, options: { out: string; profile?: Profile; withNotes: boolean }) =>
    (await import('./build.ts')).buildTalk({ deck: resolve(deck), ...options }),
  )

program
  .command('export')
  .description(
    'write the talk as PDF, pictures or PPTX, whose terminals show the end of their recordings; or the recordings',
  )
  .argument('[deck]', 'the slides', 'slides.md')
  .addOption(
    new Option('--format <format>', 'what to write; cast: the recordings, for asciinema before 3.0')
      .choices(['pdf', 'png', 'pptx', 'cast'])
      .default('pdf'),
  )
  .option('-o, --out <path>', 'the file; for png and cast the folder')
  .addOption(new Option('--profile <profile>', 'whose recordings are shown').choices(['nixos', 'lab', 'host']))
  .option('--dark', 'in dark colours', false)
  .option('--with-notes', 'put the speaker notes into the PPTX', false)
  .action(
    async (
      deck: string,
      {
        format,
        ...options
      }: { format: ExportFormat | 'cast'; out?: string; profile?: Profile; dark: boolean; withNotes: boolean },
    ) =>
      format === 'cast'
        ? (await import('./export-casts.ts')).exportCasts({ deck: resolve(deck), ...options })
        : (await import('./export.ts')).exportTalk({ deck: resolve(deck), format, ...options }),
  )

program
  .command('record')
  .description('run the steps and make videos of them, or of the whole talk')
  .argument('[steps...]', 'ids of the steps, a video each; the whole talk unless given')
  .option('--deck <deck>', 'the slides', 'slides.md')
  .option('--each', 'a video of every step', false)
  .option('--slides <range>', 'only these slides of the talk: 3-5,8')
  .addOption(
    new Option('--profile <profile>', 'what the steps run against, and whose recordings are shown').choices([
      'nixos',
      'lab',
      'host',
    ]),
  )
  .addOption(
    new Option('--format <formats...>', 'what to write')
      .choices(['mp4', 'webm', 'gif', 'png', 'cast'])
      .default(['mp4']),
  )
  .addOption(new Option('--size <size>', '720p, 1080p, 2160p, vertical, or pixels as 1280x720').argParser(size))
  .addOption(new Option('--fps <rate>', 'pictures a second').argParser(rate))
  .option('--dark', 'in dark colours', false)
  .option('-o, --out <folder>', 'where to write', 'videos')
  .option('--from <log>', 'the talk as it was given: a log that start --log has kept')
  .option('--render-only', 'run nothing: show the recordings that are there', false)
  .option('--no-fresh', 'show what was built before as it is, in no time')
  .option('-y, --yes', 'install missing system packages without asking', false)
  .action(
    async (
      steps: string[],
      { deck, slides, ...options }: Omit<RecordOptions, 'steps' | 'slides'> & { slides?: string },
    ) => {
      const { recordTalk } = await import('./record.ts')
      if (
        !(await recordTalk({
          ...options,
          deck: resolve(deck),
          steps,
          ...(slides !== undefined && { slides: parseRangeString(9999, slides) }),
        }))
      )
        process.exitCode = 1
    },
  )

program
  .command('doctor')
  .description('say what this machine has and lacks for the talk, and what mends it')
  .argument('[deck]', 'the slides', 'slides.md')
  .option('-p, --port <port>', 'the port of the talk', port, 3030)
  .addOption(new Option('--profile <profile>', 'what the steps run against').choices(['nixos', 'lab', 'host']))
  .option('--json', 'for programs', false)
  .action(async (deck: string, options: { port: number; profile?: Profile; json: boolean }) => {
    const { seeDoctor } = await import('./doctor.ts')
    if (!(await seeDoctor({ deck: resolve(deck), ...options }))) process.exitCode = 1
  })

program
  .command('lock')
  .description('lock the flake against nixpkgs and write nix/flake.lock, to be committed')
  .argument('[deck]', 'the slides', 'slides.md')
  .option('--update', 'take newer versions of the inputs', false)
  .action(async (deck: string, options: { update: boolean }) =>
    (await import('./lock.ts')).lockFlake({ deck: resolve(deck), ...options }),
  )

/** How a command is typed here: by npm, or by its own name. */
const typed = (name: string) =>
  process.env.npm_lifecycle_event === undefined
    ? `slidev-addon-understudy ${name}`
    : `npm ${name === 'start' ? '' : 'run '}${name} --`
for (const command of program.commands) command.showHelpAfterError(`All options: ${typed(command.name())} --help`)
program.showHelpAfterError('All commands: slidev-addon-understudy --help')

/** Options that npm has too: it may have been given them on purpose. */
const NPMS_OWN = ['yes', 'json', 'only']
program.hook('preAction', (_, command) => {
  if (process.env.npm_lifecycle_event === undefined) return
  const taken = command.options.find((option) => {
    const name = option.name().replace(/^no-/, '')
    return !NPMS_OWN.includes(name) && process.env[`npm_config_${name.replaceAll('-', '_')}`] !== undefined
  })
  if (taken)
    throw new Error(
      `npm has kept ${taken.long} for itself: options of the talk stand behind "--". Type: ${typed(command.name())} ${taken.flags.split(', ').at(-1)}`,
    )
})

try {
  await program.parseAsync()
  process.exit()
} catch (error) {
  if (error instanceof Error && error.name === 'AbortError') process.exit(130)
  if (error instanceof DeckError)
    console.error(`The deck cannot be used:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`)
  else if (isDiskFull(error))
    console.error(
      'The disk is full: the cache of this user has no room left. Free some space, or choose another place for it by UNDERSTUDY_CACHE.',
    )
  else if (error instanceof BuildError) console.error(`Slidev could not build the deck:\n${error.message}`)
  else console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

/** By the code of Node's own errors, or the words of a program that was run (strerror of ENOSPC and EDQUOT). */
function isDiskFull(error: unknown): boolean {
  return /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i.test(String(error))
}

function port(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 65535)
    throw new InvalidArgumentError('A port is a whole number from 1 to 65535.')
  return value
}

/** The names of the learners of a class. */
function learners(text: string): string[] {
  const count = Number(text)
  if (Number.isInteger(count)) {
    if (count < 1 || count > 200)
      throw new InvalidArgumentError('Write how many learners there are, from 1 to 200, or their names: ada,bob')
    return Array.from({ length: count }, (_, index) => `learner-${String(index + 1).padStart(text.length, '0')}`)
  }
  const names = text.split(',').map((name) => name.trim())
  // Who is alone on this machine, and who is measured.
  const reserved = ['me', 'trial']
  for (const name of names)
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name) || reserved.includes(name))
      throw new InvalidArgumentError(
        `"${name}" cannot be the name of a learner: it stands in links and file names. Use lower-case letters, digits and hyphens.`,
      )
  if (new Set(names).size < names.length) throw new InvalidArgumentError('Two learners have the same name.')
  return names
}
/** An origin that nobody on the way can read. */
function secure(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '')
    throw new InvalidArgumentError(
      'Write an address with TLS and without a path, as https://workshop.example: what learners type would be read on the way by plain HTTP.',
    )
  return url.origin
}

/** Where each page has a name of its own. */
function wildcard(text: string): string {
  if (!text.startsWith('https://*.'))
    throw new InvalidArgumentError(
      'Write an address with TLS whose first name is a star, as https://*.workshop.example: each page of a step has a host of its own.',
    )
  return secure(text.replace('*', 'any')).replace('any', '*')
}

function areOneSite(at: string | undefined, pagesAt: string): boolean {
  if (at === undefined) return false
  const domain = new URL(pagesAt.replace('*.', '')).hostname
  return `.${new URL(at).hostname}`.endsWith(`.${domain}`) || domain.endsWith(`.${new URL(at).hostname}`)
}

function command(text: string): string {
  if (text.trim() === '')
    throw new InvalidArgumentError('Write the command that a command line follows, as "ssh -T {learner}@lab".')
  return text
}

/** The size of a video, in pixels. */
function size(text: string): RecordOptions['size'] {
  const named = videoSizes[text]
  if (named) return named
  const [width = 0, height = 0] = (/^(\d+)x(\d+)$/.exec(text) ?? []).slice(1).map(Number)
  // The colours of a video are stored for two by two pixels.
  if (width < 160 || height < 160 || width % 2 === 1 || height % 2 === 1)
    throw new InvalidArgumentError(
      `Write ${Object.keys(videoSizes).join(', ')}, or even numbers of pixels, as 1280x720.`,
    )
  return { width, height, scale: 1 }
}

function rate(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 60)
    throw new InvalidArgumentError('Write whole pictures a second, from 1 to 60.')
  return value
}

function ipv4(text: string): string {
  if (!isIPv4(text)) throw new InvalidArgumentError('Write an IPv4 address of this machine, as 192.0.2.7.')
  return text
}

/** Seconds of a time as Slidev writes it. */
function time(text: string): number {
  try {
    const { seconds } = parseTimeString(text)
    if (seconds > 0) return seconds
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('Write a time as 90s, 20m or 1:30:00.')
}
