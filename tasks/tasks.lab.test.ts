// Runs every task of the workshop in the offline lab: the check fails after `setup`, passes after `solve`, and leaves
// no process or file behind. Skipped if Nix is not installed.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test, type TestContext } from 'vitest'
import { describeWithLab, lab, lock, makeWorkdir, profile, replaceIn, temp } from '../nix/lab/for-tests.ts'
import { readDeck } from '../server/deck/deck.ts'
import { readTask, type Task } from '../server/deck/task.ts'
import { WorkspaceHistory } from '../server/workshop/workspace-history.ts'

const root = join(import.meta.dirname, '..')
const ids = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

test('the task folders match the tasks of the slides', async () => {
  const { tasks } = await readDeck(join(root, 'slides.md'))
  expect([...tasks.keys()].sort()).toEqual(ids.sort())
})

interface TestWorkspace {
  workspace: string
  history: WorkspaceHistory
  /** TMPDIR of the scripts. */
  scratch: string
}

/** Creates a learner's workspace with its history. */
async function createWorkspace(onTestFinished: TestContext['onTestFinished']): Promise<TestWorkspace> {
  const workspace = await makeWorkdir()
  await execa('git', ['rm', '--cached', '--quiet', '--ignore-unmatch', 'flake.lock'], { cwd: workspace })
  await execa(
    'git',
    ['-c', 'user.name=learner', '-c', 'user.email=learner@localhost', 'commit', '--quiet', '-m', 'The start'],
    { cwd: workspace },
  )
  await execa('git', ['add', '--intent-to-add', 'flake.lock'], { cwd: workspace })
  const history = new WorkspaceHistory(mkdtempSync(join(temp, 'history-')), workspace)
  await history.prepare()
  // A short path, since scripts create sockets there.
  const scratch = mkdtempSync(join(tmpdir(), 'task-'))
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }))
  return { workspace, history, scratch }
}

/**
 * Runs a task script as the server does. Expects that no process of its process group and no temporary file is left.
 */
async function run(
  { id, timeout }: Task,
  script: string,
  { workspace, scratch }: TestWorkspace,
): Promise<{ exit: number; output: string }> {
  await lock(workspace)
  const child = lab(workspace, 'bash', ['-c', `export TASK=${id} TASK_PROFILE=lab TMPDIR=${scratch}\n${script}`], {
    detached: true,
    timeout: timeout * 1000,
  })
  const { exitCode, all } = await child
  expect(() => process.kill(-(child.pid ?? 0), 0), `processes of ${id} have ended`).toThrow('ESRCH')
  expect(readdirSync(scratch), `temporary files of ${id}`).toEqual([])
  return { exit: exitCode ?? -1, output: all as string }
}

describeWithLab('every task', () => {
  test.concurrent.for(ids)(
    '%s: the check fails after setup and passes after solve, and a reset restores the initial files',
    { timeout: 180_000 },
    async (id, { expect, onTestFinished }) => {
      const task = await readTask(root, id)
      const testWorkspace = await createWorkspace(onTestFinished)
      const { workspace, history } = testWorkspace

      const setup = await run(task, task.scripts.setup, testWorkspace)
      expect(setup.exit, setup.output).toBe(0)
      expect(setup.output.trim(), 'output of setup').not.toBe('')
      const begun = await history.snapshot()
      const failed = await run(task, task.scripts.check, testWorkspace)
      expect(failed.exit, failed.output).not.toBe(0)
      expect(failed.output, 'output of the check after setup').toMatch(/^FAIL: ./m)

      const solve = await run(task, task.scripts.solve, testWorkspace)
      expect(solve.exit, solve.output).toBe(0)
      const solved = await history.snapshot()
      expect(await history.tree(solved)).not.toBe(await history.tree(begun))
      const passed = await run(task, task.scripts.check, testWorkspace)
      expect(passed.exit, passed.output).toBe(0)
      expect(passed.output).not.toMatch(/^FAIL:/m)
      expect(passed.output, 'output of the check after solve').toMatch(/^OK: ./m)
      expect(await history.tree(await history.snapshot()), 'a check changes no file').toBe(await history.tree(solved))
      expect(
        readdirSync(workspace).filter((name) => name.startsWith('result')),
        'result links',
      ).toEqual([])

      await history.restore(begun)
      if (task.scripts.reset !== undefined) expect((await run(task, task.scripts.reset, testWorkspace)).exit).toBe(0)
      expect(await history.tree(await history.snapshot())).toBe(await history.tree(begun))
      // Running setup on the solved files restores the same starting point.
      await history.restore(solved)
      expect((await run(task, task.scripts.setup, testWorkspace)).exit).toBe(0)
      expect(await history.tree(await history.snapshot())).toBe(await history.tree(begun))
    },
  )

  const shortcuts: { id: string; shortcut: string; edit: (workspace: string) => void; failure: string }[] = [
    {
      id: 'fix-the-test',
      shortcut: 'the test is weakened',
      edit: (workspace) =>
        replaceIn(
          join(workspace, 'tests/spa-vm-test.nix'),
          `assert '<div id="root"' in page, "the shell has no root element"`,
          '',
        ),
      failure: 'the test passes for a broken app, too',
    },
    {
      id: 'keep-perl-out',
      shortcut: 'the ban is lifted',
      edit: (workspace) =>
        replaceIn(
          join(workspace, profile),
          '  # #endregion machine',
          '  system.forbiddenDependenciesRegexes = lib.mkForce [ ];\n  # #endregion machine',
        ),
      failure: 'the system builds with Perl in its closure',
    },
    {
      id: 'why-so-large',
      shortcut: 'the app lacks its index.html',
      edit: (workspace) =>
        replaceIn(
          join(workspace, 'spa/package.nix'),
          'echo "tested: ${recorded}" > $out/build.txt',
          'rm $out/index.html',
        ),
      failure: 'the app is incomplete',
    },
  ]
  test.concurrent.for(shortcuts)(
    '$id: the check fails if $shortcut',
    { timeout: 180_000 },
    async ({ id, edit, failure }, { expect, onTestFinished }) => {
      const task = await readTask(root, id)
      const testWorkspace = await createWorkspace(onTestFinished)
      expect((await run(task, task.scripts.setup, testWorkspace)).exit).toBe(0)
      edit(testWorkspace.workspace)
      const { exit, output } = await run(task, task.scripts.check, testWorkspace)
      expect(exit, output).not.toBe(0)
      expect(output).toContain(`FAIL: ${failure}`)
    },
  )
})
