import { type Command, Option } from 'commander'
import { parseFrameRate, parseSlides, parseVideoSize } from '../arguments.ts'
import { addDeckBefore, deckAndRestOf, profileOption, yesOption } from '../options.ts'
import type { RecordOptions } from '../record.ts'

interface Parsed extends Omit<RecordOptions, 'deck' | 'steps' | 'from'> {
  fromLog?: string
}

/** Registers `record`, which renders videos. */
export function registerRecord(program: Command): void {
  addDeckBefore(
    program.command('record').description('run the steps and render videos of them or of the whole talk'),
    '[steps...]',
    'ids of the steps to render, one video each; default: one video of the whole talk',
  )
    .option('--each', 'render one video per step', false)
    .option('--slides <range>', 'include only these slides of the talk, such as 3-5,8', parseSlides)
    .addOption(profileOption('environment that the steps run in and whose recordings to show'))
    .addOption(
      new Option('--format <formats...>', 'formats to write')
        .choices(['mp4', 'webm', 'gif', 'png', 'cast'])
        .default(['mp4']),
    )
    .addOption(
      new Option(
        '--size <size>',
        'size of the video: 720p, 1080p, 2160p, vertical, or pixels such as 1280x720',
      ).argParser(parseVideoSize),
    )
    .addOption(new Option('--fps <rate>', 'frames per second').argParser(parseFrameRate))
    .option('--dark', 'use the dark color scheme', false)
    .option('-o, --out <folder>', 'folder to write to', 'videos')
    .option('--from-log <file>', 'render a video of a live talk from its log, saved with start --save-log')
    .option('--render-only', 'run no steps: render the existing recordings', false)
    .option('--no-fresh', 'reuse the Nix builds of earlier runs instead of rebuilding them')
    .addOption(yesOption())
    .action(async (_deck: string, _steps: string[], { fromLog, ...options }: Parsed, command: Command) => {
      const { deck, rest } = deckAndRestOf(command)
      const { recordTalk } = await import('../record.ts')
      if (!(await recordTalk({ ...options, deck, steps: rest, ...(fromLog !== undefined && { from: fromLog }) })))
        process.exitCode = 1
    })
}
