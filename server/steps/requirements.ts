import type { MissingRequirement } from '../../shared/failures/requirement.ts'
import type { Step } from '../deck/step.ts'
import type { ProfileRuntime } from '../environment/profile.ts'
import type { Executor } from '../executor/executor.ts'

/** Checks what steps need (`needs` in their contracts) in the environment in which their terminals run. */
export class Requirements {
  private readonly profile: ProfileRuntime
  private readonly executor: Executor

  constructor({ profile, executor }: { profile: ProfileRuntime; executor: Executor }) {
    this.profile = profile
    this.executor = executor
  }

  /** What a step lacks, except for the network: these checks are quick and done for every step when a talk starts. */
  async missing({ contract: { needs } }: Step): Promise<MissingRequirement[]> {
    const { profile, executor } = this
    const missing: MissingRequirement[] = []
    if (needs.profiles && !needs.profiles.includes(profile.name))
      missing.push({
        kind: 'profile',
        profiles: needs.profiles,
        current: profile.name,
        ...(needs.reason !== undefined && { reason: needs.reason }),
      })
    for (const program of needs.programs)
      if ((await executor.which(program)) === undefined) missing.push({ kind: 'program', program })
    for (const variable of needs.env)
      if (!(await executor.hasVariable(variable))) missing.push({ kind: 'variable', variable })
    if (profile.problem !== undefined && needs.programs.length > 0)
      missing.push({ kind: 'profile-problem', problem: profile.problem })
    return missing
  }

  /** The hosts of a step that do not answer. Takes seconds per host without a network, so it is done only before a run. */
  async unreachable({ contract: { needs } }: Step): Promise<MissingRequirement[]> {
    const answers = await Promise.all(needs.network.map((host) => this.executor.reaches(host)))
    return needs.network
      .filter((_host, index) => !answers[index])
      .map((host): MissingRequirement => ({ kind: 'network', host }))
  }

  /** The first port of a step that another program has; undefined if all are free. */
  async usedPort({ contract: { needs } }: Step): Promise<number | undefined> {
    for (const port of needs.ports) if (!(await this.executor.isPortFree(port))) return port
    return undefined
  }
}
