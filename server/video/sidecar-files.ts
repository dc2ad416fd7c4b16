import { createHash } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { z } from 'zod'
import type { Profile } from '../../shared/deck/contract.ts'
import { describeStepProblem } from '../../shared/failures/step-problem.ts'
import { packageRoot } from '../lib/paths.ts'
import { transcript, webVtt } from './captions.ts'
import type { Manifest } from './manifest.ts'
import type { OutputFile } from './output-file.ts'
import type { RenderJob, RenderJobStep } from './render-jobs.ts'

/** The versions of the programs that rendered a video. */
export interface ToolVersions {
  ffmpeg: string
  chromium: string
}

/**
 * Writes the files that accompany a video: captions, transcript, timeline and manifest.
 *
 * @param outputs the files of the video
 * @param out the folder of the output, absolute
 */
export async function writeSidecarFiles(
  { name, timeline, steps }: RenderJob,
  outputs: OutputFile[],
  out: string,
  tools: ToolVersions,
): Promise<void> {
  const sidecar = (extension: string) => join(out, `${name}.${extension}`)
  const commands = new Map(steps.map(({ step, command }) => [step, command]))
  await writeFile(sidecar('vtt'), webVtt(timeline.captions))
  await writeFile(sidecar('md'), transcript(timeline, commands))
  await writeFile(sidecar('timeline.json'), `${JSON.stringify(timeline)}\n`)
  const content: Manifest = {
    version: 1,
    title: timeline.title,
    rendered: new Date().toISOString(),
    length: timeline.length,
    files: await Promise.all(outputs.map((output) => manifestFile(output, out))),
    chapters: timeline.chapters,
    steps: steps.map(manifestStep),
    made: { understudy: await packageVersion(), node: process.version, ...tools },
  }
  await writeFile(sidecar('json'), `${JSON.stringify(content, undefined, 2)}\n`)
}

async function packageVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'))
  return z.object({ version: z.string() }).parse(manifest).version
}

async function manifestFile({ file, size, fps }: OutputFile, out: string): Promise<Manifest['files'][number]> {
  return {
    file: relative(out, file),
    bytes: (await stat(file)).size,
    sha256: createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
    ...size,
    ...(fps !== undefined && { fps }),
  }
}

function manifestStep({
  step,
  slide,
  command,
  recording,
  talk,
  stale,
  problems: stepProblems,
}: RenderJobStep): Manifest['steps'][number] {
  const problems = stepProblems?.map(describeStepProblem)
  const common = { step, slide, command }
  if (talk) return { ...common, shown: 'given', ...talk }
  if (!recording) return { ...common, shown: 'nothing', ...(problems && { problems }) }
  const run = runFacts(recording.metadata)
  if (problems) return { ...common, shown: 'failed', ...run, problems }
  return { ...common, shown: 'recorded', ...run, ...(stale !== undefined && { stale }) }
}

/** The metadata of a recording that a manifest contains. */
interface RunFacts {
  date: string
  profile: Profile
  nix?: string | undefined
  nixpkgs?: string | undefined
  exit: number | null
  seconds: number
}

function runFacts({ date, profile, nix, nixpkgs, exit, seconds }: RunFacts): RunFacts {
  return {
    date,
    profile,
    ...(nix !== undefined && { nix }),
    ...(nixpkgs !== undefined && { nixpkgs }),
    exit,
    seconds,
  }
}
