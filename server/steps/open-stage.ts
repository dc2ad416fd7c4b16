import { prepareRuntime, type RuntimeContext, type RuntimeOptions } from '../environment/runtime-context.ts'
import { resetWorkdir } from '../environment/workdir.ts'
import { LocalExecutor } from '../executor/local.ts'
import { SessionLogs } from '../recording/session-logs.ts'
import { Stage } from './stage.ts'

export interface StageContextOptions extends Omit<RuntimeOptions, 'workspace'> {
  /** Show a recording if a step cannot run or fails. Off for a rehearsal. */
  fallBack?: boolean
  /** Save logs of the terminals in the cache. */
  log?: boolean
}

/** The stage of a deck with the runtime context of its steps. */
export interface StageContext extends RuntimeContext {
  stage: Stage
  executor: LocalExecutor
}

/**
 * Prepares the runtime of a deck and opens its stage in the deck's workdir.
 *
 * @throws an Error whose message contains the fix
 */
export async function openStage(options: StageContextOptions, signal: AbortSignal): Promise<StageContext> {
  const runtime = await prepareRuntime(options, signal)
  const { deck, paths, flake, profile, env, registry, recordings, secrets } = runtime
  const executor = new LocalExecutor({ cwd: paths.workdir, env, registry })
  const stage = new Stage({
    deck,
    profile,
    executor,
    secrets,
    resetWorkdir: () => resetWorkdir(flake, paths.workdir),
    ...(options.fallBack && { recordings }),
    ...(options.log && { logs: await SessionLogs.open({ folder: paths.sessions, secrets }) }),
  })
  await stage.checkRequirements()
  return { ...runtime, stage, executor }
}
