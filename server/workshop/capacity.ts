import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises'
import { availableParallelism, freemem } from 'node:os'
import { dirname } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import type { Deck } from '../deck/deck.ts'
import type { Executor } from '../executor/executor.ts'
import { json } from '../../shared/json.ts'
import type { Learner } from './learner.ts'

/**
 * How many learners a machine carries. One is measured: a learner who is removed afterwards does the heaviest task of the deck, by its
 * solution, in a container like the others'. The machine carries as many as can check that task at the same time.
 */

/** What one learner takes while a task is checked. */
const needFile = z.object({
  /** Of the task that was checked; absent where the deck has none, and only a shell was opened. */
  task: z.string().optional(),
  /** MiB at the same time, without what the kernel could give up. */
  memory: z.number().positive(),
  /** Seconds of one core. */
  processor: z.number().nonnegative(),
  /** MiB that are left on the disk. */
  disk: z.number().nonnegative(),
})
export type Need = z.infer<typeof needFile>

/** What a machine has to give. */
export interface Machine {
  /** MiB that are free, or could be. */
  memory: number
  /** Cores. */
  processors: number
  /** MiB that are free where the learners' folders are. */
  disk: number
}

/** MiB that stay for this machine and the server. */
const RESERVE = { memory: 1024, disk: 2048 }
/** MiB that a learner's screen, scrollback and connection take in the server. */
const IN_SERVER = 40
/** Seconds after which everybody's check is done, were all to check at the same moment. */
const PATIENCE = 60

/**
 * Lets a class in, where the machine carries it.
 *
 * @param tasks of the deck: each leaves about as much on the disk as the one that was measured
 * @returns what the machine carries, for who gives the workshop
 * @throws an Error with the figures, where it is less than what is wanted
 */
export function admit(wanted: number, need: Need, machine: Machine, tasks: number): string {
  const floor = (have: number, each: number) => Math.max(0, Math.floor(have / each))
  const memory = floor(machine.memory - RESERVE.memory, need.memory + IN_SERVER)
  const processors = floor(machine.processors * PATIENCE, Math.max(need.processor, 0.1))
  const disk = floor(machine.disk - RESERVE.disk, Math.max(need.disk, 1) * Math.max(tasks, 1))
  const most = Math.min(memory, processors, disk)
  const carries = `This machine carries ${most} learner${most === 1 ? '' : 's'}`
  const figures =
    `A learner takes ${Math.ceil(need.memory)} MiB of memory, ${need.processor.toFixed(1)} s of a core and ${Math.ceil(need.disk)} MiB on the disk${need.task === undefined ? '' : ` for "${need.task}"`}; ` +
    `that is memory for ${memory}, processors for ${processors} (each check done within ${PATIENCE} s, were all to check at once) and disk for ${disk}.`
  if (wanted <= most) return `${carries}. ${figures}`
  throw new Error(
    `${carries}, not ${wanted}. ${figures} ${most > 0 ? `Use --learners ${most}, a larger machine,` : 'Use a larger machine,'} or others by --command-prefix: see docs/workshop.md.`,
  )
}

/** What this machine has, for learners whose folders are below `folder`. */
export async function thisMachine(folder: string): Promise<Machine> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { bavail, bsize } = await statfs(folder)
  return { memory: freemem() / MIB, processors: availableParallelism(), disk: (bavail * bsize) / MIB }
}

const MIB = 2 ** 20

/**
 * Has a learner do the heaviest task that waits for no other, which is the one with the longest time limit, and looks at what that takes.
 *
 * @param folder of the learner: what is left on the disk
 * @throws an Error with what the check says, where the solution does not pass it
 */
export async function measureNeed(
  deck: Pick<Deck, 'tasks'>,
  { course }: Pick<Learner, 'course'>,
  executor: Pick<Executor, 'script'>,
  folder: string,
): Promise<Need> {
  const open = course.info().tasks.filter(({ progress }) => progress.state.state === 'open')
  const limit = (id: string) => deck.tasks.get(id)?.timeout ?? 0
  const task = open.reduce<(typeof open)[number] | undefined>(
    (heaviest, each) => (heaviest && limit(heaviest.id) >= limit(each.id) ? heaviest : each),
    undefined,
  )
  const samples = new Samples()
  const over = new AbortController()
  const first = samples.next()
  const watching = executor.script(
    SAMPLER,
    3600,
    over.signal,
    (bytes, from) => from === 'stdout' && samples.take(String(bytes)),
  )
  try {
    // Where nothing can be sampled, the script is over at once.
    await Promise.race([first, watching])
    const before = await diskOf(folder)
    if (task) {
      await course.beginTask(task.id)
      await course.applySolution(task.id, (await course.solution(task.id)).solution)
      const check = course.info().tasks.find(({ id }) => id === task.id)?.progress.check
      if (check?.result !== 'passed')
        throw new Error(
          `The task "${task.title}" cannot be done here, although its own solution was applied:\n${(check?.lines ?? []).map(({ text }) => text).join('\n')}`,
        )
      await Promise.race([samples.next(), watching])
    }
    if (!samples.last)
      throw new Error('What a learner needs could not be measured: the container has no /sys/fs/cgroup.')
    return {
      ...(task && { task: task.title }),
      memory: samples.memory,
      processor: samples.last.processor - samples.start,
      disk: Math.max(0, (await diskOf(folder)) - before),
    }
  } finally {
    over.abort()
    await watching
  }
}

/** As `measureNeed`, unless it was measured before and kept in a file. @param of names what was measured: another deck, or machine, needs another measurement */
export async function knownNeed(file: string, of: string, measure: () => Promise<Need>): Promise<Need> {
  const kept = z
    .object({ of: z.literal(of), need: needFile })
    .safeParse(json(await readFile(file, 'utf8').catch(() => '')))
  if (kept.success) return kept.data.need
  const need = await measure()
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, JSON.stringify({ of, need }))
  return need
}

/**
 * Prints, five times a second, the bytes in use by the container and the seconds of a core that it has had. Control groups of version 2
 * and of version 1 (cgroup-v2 and cgroup-v1/memory in the kernel's documentation); files that were read are no use, they can be given up.
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

/** What the sampler has printed. */
class Samples {
  /** MiB, the most at the same time. */
  memory = 0
  /** Seconds of a core before. */
  start = 0
  last: { processor: number } | undefined
  private rest = ''
  private waiting: (() => void)[] = []

  /** Waits for the next one. */
  next(): Promise<void> {
    return new Promise((done) => this.waiting.push(done))
  }

  take(text: string): void {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) {
      const [bytes = NaN, processor = NaN] = line.split(' ').map(Number)
      if (Number.isNaN(bytes) || Number.isNaN(processor)) continue
      if (!this.last) this.start = processor
      this.last = { processor }
      this.memory = Math.max(this.memory, bytes / MIB)
      for (const done of this.waiting.splice(0)) done()
    }
  }
}

async function diskOf(folder: string): Promise<number> {
  // A file may go while du looks at it.
  const { stdout } = await execa('du', ['--summarize', '--block-size=1', folder], { reject: false })
  return (Number.parseInt(stdout, 10) || 0) / MIB
}
