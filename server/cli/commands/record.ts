import { type Command, Option } from 'commander'
import { parseFrameRate, parseSlides, parseVideoSize } from '../arguments.ts'
import { addDeckBefore, deckAndRestOf, profileOption, yesOption } from '../options.ts'
import type { RecordOptions } from '../record.ts'

interface Parsed extends Omit<RecordOptions, 'deck' | 'steps' | 'from'> {
  fromLog?: string
}

/** Registers `record`, which makes videos. */
export function registerRecord(program: Command): void {
  addDeckBefore(
    program.command('record').description('run the steps and make videos of them or of the whole talk'),
    '[steps...]',
    'ids of the steps to make a video of each; the whole talk if not given',
  )
    .option('--each', 'make a video of every step', false)
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
    .option('--from-log <file>', 'make a video of a talk as it was given, from the log of start --save-log')
    .option('--render-only', 'run nothing: show the existing recordings', false)
    .option('--no-fresh', 'do not rebuild what earlier runs of the steps have built with Nix')
    .addOption(yesOption())
    .action(async (_deck: string, _steps: string[], { fromLog, ...options }: Parsed, command: Command) => {
      const { deck, rest } = deckAndRestOf(command)
      const { recordTalk } = await import('../record.ts')
      if (!(await recordTalk({ ...options, deck, steps: rest, ...(fromLog !== undefined && { from: fromLog }) })))
        process.exitCode = 1
    })
}
