import type { MissingRequirement } from '../../shared/failures/requirement.ts'
import type { Step } from '../deck/step.ts'
import type { ProfileRuntime } from '../environment/profile.ts'
import type { Executor } from '../executor/executor.ts'

/** Checks the requirements of steps (`needs` in their contracts) in the environment of their terminals. */
export class Requirements {
  private readonly profile: ProfileRuntime
  private readonly executor: Executor

  constructor({ profile, executor }: { profile: ProfileRuntime; executor: Executor }) {
    this.profile = profile
    this.executor = executor
  }

  /**
   * @returns the missing requirements of a step except hosts and ports. The checks are quick: they run for every step
   * when a talk starts.
   */
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

  /**
   * @returns the hosts of a step that do not respond. Called only before a run, because it takes seconds without a
   * network.
   */
  async unreachable({ contract: { needs } }: Step): Promise<MissingRequirement[]> {
    const answers = await Promise.all(needs.network.map((host) => this.executor.reaches(host)))
    return needs.network
      .filter((_host, index) => !answers[index])
      .map((host): MissingRequirement => ({ kind: 'network', host }))
  }

  /** @returns the first port of a step that is in use; undefined if all are free */
  async usedPort({ contract: { needs } }: Step): Promise<number | undefined> {
    for (const port of needs.ports) if (!(await this.executor.isPortFree(port))) return port
    return undefined
  }
}
