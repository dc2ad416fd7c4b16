import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MAX_FILE_BYTES } from '../../shared/protocol/workshop.ts'
import { WorkspaceHistory } from './workspace-history.ts'
import { Workspace } from './workspace.ts'

let root: string
let workspace: Workspace
let history: WorkspaceHistory
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'understudy-workspace-'))
  await mkdir(join(root, 'workspace', 'nixos'), { recursive: true })
  await writeFile(join(root, 'workspace', 'flake.nix'), 'one\n')
  await writeFile(join(root, 'workspace', 'nixos', 'run.sh'), 'echo\n')
  await chmod(join(root, 'workspace', 'nixos', 'run.sh'), 0o755)
  await writeFile(join(root, 'secret'), 'secret')
  history = new WorkspaceHistory(join(root, 'history.git'), join(root, 'workspace'))
  await history.prepare()
  workspace = new Workspace(join(root, 'workspace'), history, join(root, 'scratch'))
})
afterEach(async () => {
  await workspace.close()
  await rm(root, { recursive: true })
})

const at = (path: string) => join(root, 'workspace', path)
const text = (path: string) => readFile(at(path), 'utf8')
const sha = (content: string) => createHash('sha256').update(content).digest('hex')

test('a save keeps the mode of a file and creates missing folders', async () => {
  const { text: before, hash } = await workspace.open('nixos/run.sh')
  expect([before, hash]).toEqual(['echo\n', sha('echo\n')])
  expect(await workspace.save('nixos/run.sh', 'true\n', hash)).toEqual({ saved: true, hash: sha('true\n') })
  expect((await stat(at('nixos/run.sh'))).mode & 0o111).toBe(0o111)
  expect(await workspace.save('a/b/Grüezi.txt', 'hoi', null)).toMatchObject({ saved: true })
  expect(await text('a/b/Grüezi.txt')).toBe('hoi')
})

test('a save of a file that has changed since it was opened is a conflict with the text and hash on the disk', async () => {
  const { hash } = await workspace.open('flake.nix')
  await writeFile(at('flake.nix'), 'theirs\n')
  expect(await workspace.save('flake.nix', 'mine\n', hash)).toEqual({
    saved: false,
    theirs: { text: 'theirs\n', hash: sha('theirs\n') },
  })
  expect(await text('flake.nix')).toBe('theirs\n')
  expect(await workspace.save('flake.nix', 'mine\n', sha('theirs\n'))).toMatchObject({ saved: true })
  await rm(at('flake.nix'))
  expect(await workspace.save('flake.nix', 'again\n', sha('mine\n'))).toEqual({ saved: false, theirs: null })
  expect(await workspace.save('nixos/run.sh', 'new?', null)).toMatchObject({ saved: false, theirs: { text: 'echo\n' } })
  // Equal texts are not a conflict.
  expect(await workspace.save('nixos/run.sh', 'echo\n', sha('other'))).toMatchObject({ saved: true })
})

const invalidPaths = [
  '../secret',
  'nixos/../../secret',
  '/etc/passwd',
  './flake.nix',
  'nixos//run.sh',
  'nixos/',
  '',
  '.',
  '.git/config',
  'nixos/.GIT/hooks/post-checkout',
  'a\\b',
  'a\0b',
  'x'.repeat(300),
]
test.each(invalidPaths)('the path %j is refused', async (path) => {
  await expect(workspace.open(path)).rejects.toMatchObject({ refusal: { kind: 'invalid-path' } })
  await expect(workspace.save(path, 'x', null)).rejects.toMatchObject({ refusal: { kind: 'invalid-path' } })
  await expect(workspace.reset(path, (await history.start()) ?? '')).rejects.toMatchObject({
    refusal: { kind: 'invalid-path' },
  })
  expect(await readFile(join(root, 'secret'), 'utf8')).toBe('secret')
})

test('symbolic links to files and folders outside the workspace are not followed', async () => {
  await symlink('../secret', at('link'))
  await symlink('..', at('up'))
  for (const [path, kind] of [
    ['link', 'symbolic-link'],
    ['up/secret', 'behind-symbolic-link'],
  ] as const) {
    await expect(workspace.open(path), path).rejects.toMatchObject({ refusal: { kind } })
    await expect(workspace.save(path, 'overwritten', sha('secret')), path).rejects.toMatchObject({ refusal: { kind } })
  }
  await expect(workspace.save('up/made/file', 'x', null)).rejects.toMatchObject({
    refusal: { kind: 'behind-symbolic-link' },
  })
  expect([existsSync(join(root, 'made')), await readFile(join(root, 'secret'), 'utf8')]).toEqual([false, 'secret'])
})

test('a reset does not write through a folder that was replaced by a symbolic link', async () => {
  const start = (await history.start()) ?? ''
  await rename(at('nixos'), join(root, 'elsewhere'))
  await symlink('../elsewhere', at('nixos'))
  await writeFile(join(root, 'elsewhere', 'run.sh'), 'outside\n')
  await expect(workspace.reset('nixos/run.sh', start)).rejects.toMatchObject({
    refusal: { kind: 'behind-symbolic-link' },
  })
  expect(await readFile(join(root, 'elsewhere', 'run.sh'), 'utf8')).toBe('outside\n')
})

test('a file that is too large, not text or not a regular file is not opened', async () => {
  await writeFile(at('large'), 'x'.repeat(MAX_FILE_BYTES + 1))
  await writeFile(at('binary'), Buffer.from([1, 0, 2]))
  await writeFile(at('latin1'), Buffer.from([0xfc]))
  execFileSync('mkfifo', [at('pipe')])
  for (const [path, kind] of [
    ['large', 'file-too-large'],
    ['binary', 'not-text'],
    ['latin1', 'not-text'],
    ['nixos', 'not-a-file'],
    ['pipe', 'not-a-file'],
    ['missing', 'file-missing'],
  ] as const)
    await expect(workspace.open(path), path).rejects.toMatchObject({ refusal: { kind, path } })
})

test('a text that is too large, or at the path of a folder, is not saved', async () => {
  await expect(workspace.save('new', 'x'.repeat(MAX_FILE_BYTES + 1), null)).rejects.toThrow(
    'new would be larger than 100 KiB. Write it in a terminal.',
  )
  await expect(workspace.save('nixos', 'x', null)).rejects.toMatchObject({ refusal: { kind: 'not-a-file' } })
})

test('the file list contains the changes and the reasons why the editor cannot open a file', async () => {
  await writeFile(at('large'), 'x'.repeat(MAX_FILE_BYTES + 1))
  await writeFile(at('binary'), Buffer.from([1, 0, 2]))
  await writeFile(at('latin1'), Buffer.from([0xfc]))
  await symlink('flake.nix', at('link'))
  expect(await workspace.list()).toEqual([
    { path: 'binary', change: 'added', blocked: 'not-text' },
    { path: 'flake.nix', change: 'none' },
    { path: 'large', change: 'added', blocked: 'too-large' },
    { path: 'latin1', change: 'added' },
    { path: 'link', change: 'added', blocked: 'symbolic-link' },
    { path: 'nixos/run.sh', change: 'none' },
  ])
})

test('a reset restores the content and mode of a file, removes an added file and restores a removed one', async () => {
  const start = (await history.start()) ?? ''
  await writeFile(at('nixos/run.sh'), 'changed')
  await chmod(at('nixos/run.sh'), 0o644)
  await writeFile(at('new'), 'new')
  await rm(at('flake.nix'))
  expect((await workspace.list()).map(({ change }) => change)).toEqual(['removed', 'added', 'changed'])
  for (const path of ['nixos/run.sh', 'new', 'flake.nix']) await workspace.reset(path, start)
  expect(await workspace.list()).toEqual([
    { path: 'flake.nix', change: 'none' },
    { path: 'nixos/run.sh', change: 'none' },
  ])
  expect((await stat(at('nixos/run.sh'))).mode & 0o111).toBe(0o111)
})

test('a patch can be applied to another repository and excludes lock files and build results', async () => {
  const start = (await history.start()) ?? ''
  await writeFile(at('flake.nix'), 'two\r\nno end')
  await writeFile(at('with space'), Buffer.from([0, 1, 2]))
  await rm(at('nixos/run.sh'))
  await writeFile(at('flake.lock'), '{}')
  await writeFile(at('nixos.qcow2'), 'disk')
  await symlink('/nix/store/x', at('result'))
  const patch = await history.patch(start, await history.snapshot())
  expect(patch).not.toMatch(/lock|qcow2|result/)
  const other = join(root, 'other')
  execFileSync('git', ['init', '--quiet', other])
  await mkdir(join(other, 'nixos'))
  await writeFile(join(other, 'flake.nix'), 'one\n')
  await writeFile(join(other, 'nixos', 'run.sh'), 'echo\n')
  execFileSync('git', ['apply', '-'], { cwd: other, input: patch })
  expect([
    await readFile(join(other, 'flake.nix'), 'utf8'),
    await readFile(join(other, 'with space')),
    existsSync(join(other, 'nixos', 'run.sh')),
  ]).toEqual(['two\r\nno end', Buffer.from([0, 1, 2]), false])
})

test('a restore keeps the replaced state in the history and does not touch build results', async () => {
  const start = (await history.start()) ?? ''
  await writeFile(at('mine'), 'a day of work')
  await writeFile(at('disk.qcow2'), 'disk')
  const before = await history.snapshot()
  await history.restore(start)
  expect([existsSync(at('mine')), existsSync(at('disk.qcow2'))]).toEqual([false, true])
  await history.restore(before)
  expect(await text('mine')).toBe('a day of work')
})

test('hooks, filters and other programs in the Git configuration of the workspace never run', async () => {
  execFileSync('git', ['init', '--quiet', at('.')])
  const trap = join(root, 'trap')
  for (const key of [
    'core.fsmonitor',
    'filter.trap.clean',
    'filter.trap.smudge',
    'diff.trap.command',
    'diff.trap.textconv',
    'diff.external',
  ])
    execFileSync('git', ['config', key, `touch ${trap}; cat`], { cwd: at('.') })
  await writeFile(at('.gitattributes'), '* filter=trap diff=trap\n')
  await writeFile(at('flake.nix'), 'two\n')
  await writeFile(at('.git/hooks/post-checkout'), `#!/bin/sh\ntouch ${trap}\n`, { mode: 0o755 })
  const now = await history.snapshot()
  await history.patch((await history.start()) ?? '', now)
  await history.restore((await history.start()) ?? '')
  await workspace.list()
  expect(existsSync(trap)).toBe(false)
})

test('changes by other programs and saves are each emitted once', async () => {
  const events: [string, string | null][] = []
  workspace.on('file', (...change) => events.push(change))
  await workspace.watch()
  await writeFile(at('flake.nix'), 'outside\n')
  await vi.waitFor(() => expect(events).toEqual([['flake.nix', sha('outside\n')]]), { timeout: 20_000 })
  await workspace.save('flake.nix', 'inside\n', sha('outside\n'))
  await rm(at('nixos/run.sh'))
  await vi.waitFor(
    () =>
      expect(events.slice(1)).toEqual([
        ['flake.nix', sha('inside\n')],
        ['nixos/run.sh', null],
      ]),
    { timeout: 20_000 },
  )
})
