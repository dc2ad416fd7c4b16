// Every task of the workshop, for real, in the offline lab: its setup makes its check fail, its solution makes it pass, and nothing is
// left behind. Skipped, saying so, where there is no Nix.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test, type TestContext } from 'vitest'
import { describeWithLab, lab, lock, makeWorkdir, profile, replaceIn, temp } from '../nix/lab/for-tests.ts'
import { readDeck } from '../server/deck/deck.ts'
import { History } from '../server/workshop/history.ts'
import { readTask, type Task } from '../server/deck/task.ts'

const root = join(import.meta.dirname, '..')
const ids = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

test('every task has a slide, and every slide with a task has a folder', async () => {
  const { tasks } = await readDeck(join(root, 'slides.md'))
  expect([...tasks.keys()].sort()).toEqual(ids.sort())
})

/** A learner's copy, and its states as the server keeps them. */
async function makeCopy(
  onTestFinished: TestContext['onTestFinished'],
): Promise<{ copy: string; history: History; scratch: string }> {
  const copy = await makeWorkdir()
  await execa('git', ['rm', '--cached', '--quiet', '--ignore-unmatch', 'flake.lock'], { cwd: copy })
  await execa(
    'git',
    ['-c', 'user.name=learner', '-c', 'user.email=learner@localhost', 'commit', '--quiet', '-m', 'The start'],
    { cwd: copy },
  )
  await execa('git', ['add', '--intent-to-add', 'flake.lock'], { cwd: copy })
  const history = new History(mkdtempSync(join(temp, 'history-')), copy)
  await history.prepare()
  // Not behind a long path: sockets are made there.
  const scratch = mkdtempSync(join(tmpdir(), 'task-'))
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }))
  return { copy, history, scratch }
}

/** Runs a script of a task as the server does. Its process group has to be empty afterwards, and so has the folder for what is temporary. */
async function run(
  { id, timeout }: Task,
  script: string,
  { copy, scratch }: { copy: string; scratch: string },
): Promise<{ exit: number; output: string }> {
  await lock(copy)
  const child = lab(copy, 'bash', ['-c', `export TASK=${id} TASK_PROFILE=lab TMPDIR=${scratch}\n${script}`], {
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
    '%s: begins unsolved, is solved by its solution, and goes back to its start',
    { timeout: 180_000 },
    async (id, { expect, onTestFinished }) => {
      const task = await readTask(root, id)
      const place = await makeCopy(onTestFinished)
      const { copy, history } = place

      const setup = await run(task, task.scripts.setup, place)
      expect(setup.exit, setup.output).toBe(0)
      expect(setup.output.trim(), 'what setup says').not.toBe('')
      const begun = await history.snapshot()
      const began = await run(task, task.scripts.check, place)
      expect(began.exit, began.output).not.toBe(0)
      expect(began.output, 'what the check says of the start').toMatch(/^FAIL: ./m)

      const solve = await run(task, task.scripts.solve, place)
      expect(solve.exit, solve.output).toBe(0)
      const solved = await history.snapshot()
      expect(await history.tree(solved)).not.toBe(await history.tree(begun))
      const passed = await run(task, task.scripts.check, place)
      expect(passed.exit, passed.output).toBe(0)
      expect(passed.output).not.toMatch(/^FAIL:/m)
      expect(passed.output, 'what the check found right').toMatch(/^OK: ./m)
      expect(await history.tree(await history.snapshot()), 'a check changes no file').toBe(await history.tree(solved))
      expect(
        readdirSync(copy).filter((name) => name.startsWith('result')),
        'links to results',
      ).toEqual([])

      await history.restore(begun)
      if (task.scripts.reset !== undefined) expect((await run(task, task.scripts.reset, place)).exit).toBe(0)
      expect(await history.tree(await history.snapshot())).toBe(await history.tree(begun))
      // Begun anew from whatever a learner has done, it is the same task.
      await history.restore(solved)
      expect((await run(task, task.scripts.setup, place)).exit).toBe(0)
      expect(await history.tree(await history.snapshot())).toBe(await history.tree(begun))
    },
  )

  const easyWays: { id: string; way: string; edit: (copy: string) => void; says: string }[] = [
    {
      id: 'fix-the-test',
      way: 'the test asks for less',
      edit: (copy) =>
        replaceIn(
          join(copy, 'tests/spa-vm-test.nix'),
          `assert '<div id="root"' in page, "the shell has no root element"`,
          '',
        ),
      says: 'the test passes for a broken app, too',
    },
    {
      id: 'keep-perl-out',
      way: 'the ban is lifted',
      edit: (copy) =>
        replaceIn(
          join(copy, profile),
          '  # #endregion machine',
          '  system.forbiddenDependenciesRegexes = lib.mkForce [ ];\n  # #endregion machine',
        ),
      says: 'the system builds with Perl in its closure',
    },
    {
      id: 'why-so-large',
      way: 'the app loses its shell as well',
      edit: (copy) =>
        replaceIn(join(copy, 'spa/package.nix'), 'echo "tested: ${recorded}" > $out/build.txt', 'rm $out/index.html'),
      says: 'the app is incomplete',
    },
  ]
  test.concurrent.for(easyWays)(
    '$id: is not solved when $way',
    { timeout: 180_000 },
    async ({ id, edit, says }, { expect, onTestFinished }) => {
      const task = await readTask(root, id)
      const place = await makeCopy(onTestFinished)
      expect((await run(task, task.scripts.setup, place)).exit).toBe(0)
      edit(place.copy)
      const { exit, output } = await run(task, task.scripts.check, place)
      expect(exit, output).not.toBe(0)
      expect(output).toContain(`FAIL: ${says}`)
    },
  )
})
