import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCommandString } from 'execa'
import type { RuntimeContext } from '../environment/runtime-context.ts'
import { Container, type Engine } from '../executor/container.ts'
import type { Executor } from '../executor/executor.ts'
import { PrefixExecutor } from '../executor/prefix.ts'
import { packageRoot } from '../lib/paths.ts'
import { workspaceIn } from './learner.ts'

/** The environment in which the shells of one learner of a class run. */
export interface LearnerRuntime {
  executor: Executor
  /** Ends every process in the environment. */
  close: () => Promise<void>
}

/** A command that runs a learner's shells in another environment. `{learner}` is replaced with the learner's name. */
export interface RemoteCommand {
  commandPrefix: string
  /** For shells with a terminal; `commandPrefix` if absent. */
  terminalPrefix?: string | undefined
}

/** Time limit for a remote machine to respond. */
const CONNECT_TIMEOUT_SECONDS = 30

/**
 * Creates a container on this machine, with the files that the profile has prepared. Of the variables of the server,
 * only PATH is passed on.
 *
 * @param folder the learner's folder, absolute
 */
export async function createContainerRuntime(
  name: string,
  folder: string,
  engine: Engine,
  { paths, profile, registry }: RuntimeContext,
): Promise<LearnerRuntime> {
  const lab = join(paths.cache, 'lab')
  const usesLab = profile.name === 'lab' && existsSync(lab)
  const container = new Container(engine, {
    name,
    workshop: paths.learners,
    folder,
    cwd: workspaceIn(folder),
    readOnlyPaths: usesLab ? [lab, await realpath(lab), join(packageRoot, 'nix', 'lab')] : [],
    env: { PATH: process.env.PATH ?? '', ...profile.env },
    registry,
    // Required to download nixpkgs, unless it was prefetched.
    network: profile.name === 'nixos' && !profile.prefetched,
  })
  return { executor: container.executor, close: () => container.end() }
}

/**
 * Creates an executor that runs a learner's shells through the operator's own command.
 *
 * @param folder the learner's folder, absolute; it has the same path on the remote machine
 * @throws an Error if the command fails or does not reach the learner's workspace
 */
export async function createRemoteExecutor(
  name: string,
  folder: string,
  { commandPrefix, terminalPrefix = commandPrefix }: RemoteCommand,
  { profile, registry }: RuntimeContext,
): Promise<LearnerRuntime> {
  const parse = (command: string) => parseCommandString(command).map((word) => word.replaceAll('{learner}', name))
  const workspace = workspaceIn(folder)
  const executor = new PrefixExecutor({
    prefix: (terminal) => parse(terminal ? terminalPrefix : commandPrefix),
    cwd: workspace,
    env: profile.env,
    registry,
  })
  const { exit, output } = await executor.script('test -d .git', CONNECT_TIMEOUT_SECONDS)
  if (exit !== 0) {
    await executor.close()
    throw new Error(
      `The command prefix "${parse(commandPrefix).join(' ')}" does not reach the workspace of learner "${name}". Make ${workspace} available at the same path on the remote machine. ${output}`,
    )
  }
  return { executor, close: () => executor.close() }
}
