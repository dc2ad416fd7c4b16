import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises'
import { availableParallelism, freemem } from 'node:os'
import { dirname } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import type { Deck } from '../deck/deck.ts'
import type { Executor } from '../executor/executor.ts'
import type { Learner } from './learner.ts'

/**
 * Capacity of a machine for a class. A temporary learner solves the heaviest task of the deck in a container, and the
 * resource usage is measured. The capacity is the number of learners who could check that task at the same time.
 */

/** Resource usage of one learner who checks a task. */
const resourceUsage = z.object({
  /** Title of the task; absent if the deck has no tasks and only a shell was started. */
  task: z.string().optional(),
  /** Peak memory in MiB, without caches that the kernel can reclaim. */
  memory: z.number().positive(),
  /** CPU time in seconds of one core. */
  processor: z.number().nonnegative(),
  /** Disk space in MiB that remains in use. */
  disk: z.number().nonnegative(),
})
export type ResourceUsage = z.infer<typeof resourceUsage>

/** Free resources of a machine. */
export interface MachineResources {
  /** MiB. */
  memory: number
  /** Number of cores. */
  processors: number
  /** MiB on the file system of the learners' folders. */
  disk: number
}

const BYTES_PER_MIB = 2 ** 20
/** MiB that are reserved for the system and the server. */
const RESERVED_MIB = { memory: 1024, disk: 2048 }
/** MiB of server memory for each learner's screens, scrollback and connections. */
const SERVER_MIB_PER_LEARNER = 40
/** If all learners start a check at the same moment, all checks must finish within this time. */
const MAX_CHECK_SECONDS = 60
/** Time limit of the measurement. */
const SAMPLING_TIMEOUT_SECONDS = 3600

/**
 * Checks that a machine has the capacity for a class.
 *
 * @param learners number of learners
 * @param usage of one learner
 * @param tasks number of tasks of the deck; each is assumed to use as much disk space as the measured one
 * @returns a line for the instructor: the capacity and the figures it is calculated from
 * @throws an Error with the same figures if the capacity is too low
 */
export function checkCapacity(
  learners: number,
  usage: ResourceUsage,
  machine: MachineResources,
  tasks: number,
): string {
  const fit = (available: number, each: number) => Math.max(0, Math.floor(available / each))
  const memory = fit(machine.memory - RESERVED_MIB.memory, usage.memory + SERVER_MIB_PER_LEARNER)
  const processors = fit(machine.processors * MAX_CHECK_SECONDS, Math.max(usage.processor, 0.1))
  const disk = fit(machine.disk - RESERVED_MIB.disk, Math.max(usage.disk, 1) * Math.max(tasks, 1))
  const capacity = Math.min(memory, processors, disk)
  const summary = `This machine has capacity for ${capacity} learner${capacity === 1 ? '' : 's'}`
  const figures =
    `One learner uses ${Math.ceil(usage.memory)} MiB of memory, ${usage.processor.toFixed(1)} s of CPU time and ${Math.ceil(usage.disk)} MiB of disk space${usage.task === undefined ? '' : ` for "${usage.task}"`}. ` +
    `Memory is sufficient for ${memory}, CPU for ${processors} (simultaneous checks finish within ${MAX_CHECK_SECONDS} s) and disk space for ${disk}.`
  if (learners <= capacity) return `${summary}. ${figures}`
  const fewer = capacity > 0 ? `Use --learners ${capacity}, a larger machine,` : 'Use a larger machine'
  throw new Error(
    `${summary}, not ${learners}. ${figures} ${fewer} or run the learners' shells on other machines with --command-prefix (see docs/workshop.md).`,
  )
}

/** @param folder the learners' folder; created if it is missing */
export async function readMachineResources(folder: string): Promise<MachineResources> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { bavail, bsize } = await statfs(folder)
  return {
    memory: freemem() / BYTES_PER_MIB,
    processors: availableParallelism(),
    disk: (bavail * bsize) / BYTES_PER_MIB,
  }
}

/**
 * Solves and checks the heaviest available task, which is the one with the longest time limit, and measures the
 * resource usage.
 *
 * @param learner a temporary learner
 * @param executor runs in the learner's container
 * @param folder the learner's folder, to measure its disk space
 * @throws an Error with the output of the check if the task's own solution does not pass it
 */
export async function measureUsage(
  deck: Pick<Deck, 'tasks'>,
  { course }: Pick<Learner, 'course'>,
  executor: Pick<Executor, 'script'>,
  folder: string,
): Promise<ResourceUsage> {
  const open = course.info().tasks.filter(({ progress }) => progress.state.state === 'open')
  const limit = (id: string) => deck.tasks.get(id)?.timeout ?? 0
  const task = open.reduce<(typeof open)[number] | undefined>(
    (heaviest, each) => (heaviest && limit(heaviest.id) >= limit(each.id) ? heaviest : each),
    undefined,
  )
  const samples = new Samples()
  const abort = new AbortController()
  const firstSample = samples.next()
  const sampling = executor.script(SAMPLER, SAMPLING_TIMEOUT_SECONDS, abort.signal, (bytes, from) => {
    if (from === 'stdout') samples.add(String(bytes))
  })
  try {
    // The sampler exits immediately if there is no control group to read.
    await Promise.race([firstSample, sampling])
    const diskBefore = await diskUsage(folder)
    if (task) {
      await solveTask(course, task)
      await Promise.race([samples.next(), sampling])
    }
    if (!samples.last)
      throw new Error('Cannot measure the resource usage of a learner: the container has no /sys/fs/cgroup.')
    return {
      ...(task && { task: task.title }),
      memory: samples.peakMemory,
      processor: samples.last.processor - samples.firstProcessor,
      disk: Math.max(0, (await diskUsage(folder)) - diskBefore),
    }
  } finally {
    abort.abort()
    await sampling
  }
}

async function solveTask(course: Learner['course'], { id, title }: { id: string; title: string }): Promise<void> {
  await course.beginTask(id)
  await course.applySolution(id, (await course.previewSolution(id)).solution)
  const check = course.info().tasks.find((each) => each.id === id)?.progress.check
  if (check?.result === 'passed') return
  const output = (check?.lines ?? []).map(({ text }) => text).join('\n')
  throw new Error(`The task "${title}" fails on this machine although its own solution was applied:\n${output}`)
}

/**
 * Returns a measurement that is cached in a file, or measures and caches it.
 *
 * @param key identifies the conditions of the measurement: deck, machine, profile and flake
 */
export async function cachedUsage(
  file: string,
  key: string,
  measure: () => Promise<ResourceUsage>,
): Promise<ResourceUsage> {
  const cached = z
    .object({ key: z.literal(key), usage: resourceUsage })
    .safeParse(json(await readFile(file, 'utf8').catch(() => '')))
  if (cached.success) return cached.data.usage
  const usage = await measure()
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, JSON.stringify({ key, usage }))
  return usage
}

/**
 * Prints the memory in use by the container (bytes) and its CPU time (seconds), five times a second. Supports control
 * groups of version 2 and 1 (cgroup-v2 and cgroup-v1/memory in the kernel's documentation). The page cache is not
 * counted, since it can be reclaimed.
 */
const SAMPLER = `cd /sys/fs/cgroup || exit 1
while :; do
  if [ -e memory.stat ]; then
    awk '$1 == "anon" || $1 == "shmem" { used += $2 } $1 == "usage_usec" { seconds = $2 / 1e6 } END { print used, seconds }' memory.stat cpu.stat
  else
    awk '$1 == "total_rss" || $1 == "total_shmem" { used += $2 } FILENAME ~ /usage/ { seconds = $1 / 1e9 } END { print used, seconds }' memory/memory.stat cpuacct/cpuacct.usage
  fi || exit 1
  sleep 0.2
done`

/** Parses the output of `SAMPLER`. */
class Samples {
  /** MiB. */
  peakMemory = 0
  /** CPU time of the first sample, in seconds. */
  firstProcessor = 0
  last: { processor: number } | undefined
  private partialLine = ''
  private waiting: (() => void)[] = []

  /** Waits for the next sample. */
  next(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  add(text: string): void {
    const lines = (this.partialLine + text).split('\n')
    this.partialLine = lines.pop() ?? ''
    for (const line of lines) {
      const [bytes = NaN, processor = NaN] = line.split(' ').map(Number)
      if (Number.isNaN(bytes) || Number.isNaN(processor)) continue
      if (!this.last) this.firstProcessor = processor
      this.last = { processor }
      this.peakMemory = Math.max(this.peakMemory, bytes / BYTES_PER_MIB)
      for (const resolve of this.waiting.splice(0)) resolve()
    }
  }
}

/** @returns MiB */
async function diskUsage(folder: string): Promise<number> {
  // du fails if a file is removed while it runs, but still prints the sum.
  const { stdout } = await execa('du', ['--summarize', '--block-size=1', folder], { reject: false })
  return (Number.parseInt(stdout, 10) || 0) / BYTES_PER_MIB
}
