import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Copy } from './workspace.ts'
import { History } from './history.ts'
import { MAX_FILE } from '../../shared/protocol/workshop.ts'

let root: string
let copy: Copy
let history: History
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'understudy-copy-'))
  await mkdir(join(root, 'copy', 'nixos'), { recursive: true })
  await writeFile(join(root, 'copy', 'flake.nix'), 'one\n')
  await writeFile(join(root, 'copy', 'nixos', 'run.sh'), 'echo\n')
  await chmod(join(root, 'copy', 'nixos', 'run.sh'), 0o755)
  await writeFile(join(root, 'secret'), 'secret')
  history = new History(join(root, 'history.git'), join(root, 'copy'))
  await history.prepare()
  copy = new Copy(join(root, 'copy'), history, join(root, 'scratch'))
})
afterEach(async () => {
  await copy.close()
  await rm(root, { recursive: true })
})

const at = (path: string) => join(root, 'copy', path)
const text = (path: string) => readFile(at(path), 'utf8')
const sha = (content: string) => createHash('sha256').update(content).digest('hex')

test('a file is opened and saved, with its mode; a new one makes its folders', async () => {
  const { text: before, hash } = await copy.open('nixos/run.sh')
  expect([before, hash]).toEqual(['echo\n', sha('echo\n')])
  expect(await copy.save('nixos/run.sh', 'true\n', hash)).toEqual({ saved: true, hash: sha('true\n') })
  expect((await stat(at('nixos/run.sh'))).mode & 0o111).toBe(0o111)
  expect(await copy.save('a/b/Grüezi.txt', 'hoi', null)).toMatchObject({ saved: true })
  expect(await text('a/b/Grüezi.txt')).toBe('hoi')
})

test('a save over an edit from outside is a conflict that has both texts, and the hash to settle it with', async () => {
  const { hash } = await copy.open('flake.nix')
  await writeFile(at('flake.nix'), 'theirs\n')
  expect(await copy.save('flake.nix', 'mine\n', hash)).toEqual({
    saved: false,
    theirs: { text: 'theirs\n', hash: sha('theirs\n') },
  })
  expect(await text('flake.nix')).toBe('theirs\n')
  expect(await copy.save('flake.nix', 'mine\n', sha('theirs\n'))).toMatchObject({ saved: true })
  await rm(at('flake.nix'))
  expect(await copy.save('flake.nix', 'again\n', sha('mine\n'))).toEqual({ saved: false, theirs: null })
  expect(await copy.save('nixos/run.sh', 'new?', null)).toMatchObject({ saved: false, theirs: { text: 'echo\n' } })
  // Both wrote the same: there is nothing to settle.
  expect(await copy.save('nixos/run.sh', 'echo\n', sha('other'))).toMatchObject({ saved: true })
})

const escapes = [
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
test.each(escapes)('the path %j leads nowhere', async (path) => {
  await expect(copy.open(path)).rejects.toMatchObject({ refusal: { kind: 'bad-file' } })
  await expect(copy.save(path, 'x', null)).rejects.toMatchObject({ refusal: { kind: 'bad-file' } })
  await expect(copy.reset(path, (await history.start()) ?? '')).rejects.toMatchObject({ refusal: { kind: 'bad-file' } })
  expect(await readFile(join(root, 'secret'), 'utf8')).toBe('secret')
})

test('no link leads out of the copy: neither a file, nor a folder, nor one that is put there later', async () => {
  await symlink('../secret', at('link'))
  await symlink('..', at('up'))
  for (const path of ['link', 'up/secret']) {
    await expect(copy.open(path), path).rejects.toMatchObject({
      refusal: { kind: 'bad-file' },
      message: expect.stringContaining('link'),
    })
    await expect(copy.save(path, 'overwritten', sha('secret')), path).rejects.toMatchObject({
      refusal: { kind: 'bad-file' },
    })
  }
  await expect(copy.save('up/made/file', 'x', null)).rejects.toMatchObject({ refusal: { kind: 'bad-file' } })
  const start = (await history.start()) ?? ''
  await rename(at('nixos'), join(root, 'elsewhere'))
  await symlink('../elsewhere', at('nixos'))
  await expect(copy.reset('nixos/run.sh', start)).rejects.toMatchObject({ refusal: { kind: 'bad-file' } })
  expect([
    existsSync(join(root, 'made')),
    await readFile(join(root, 'secret'), 'utf8'),
    await readFile(join(root, 'elsewhere', 'run.sh'), 'utf8'),
  ]).toEqual([false, 'secret', 'echo\n'])
})

test('what is too large, no text, or no file is not opened, and says so', async () => {
  await writeFile(at('large'), 'x'.repeat(MAX_FILE + 1))
  await writeFile(at('binary'), Buffer.from([1, 0, 2]))
  await writeFile(at('latin1'), Buffer.from([0xfc]))
  execFileSync('mkfifo', [at('pipe')])
  for (const [path, words] of [
    ['large', 'larger than'],
    ['binary', 'no text'],
    ['latin1', 'no text'],
    ['nixos', 'no file'],
    ['pipe', 'no file'],
    ['missing', 'There is no file'],
  ] as const)
    await expect(copy.open(path), path).rejects.toThrow(words)
  await expect(copy.save('new', 'x'.repeat(MAX_FILE + 1), null)).rejects.toThrow('would be larger')
  await expect(copy.save('nixos', 'x', null)).rejects.toThrow('no file')
  await symlink('flake.nix', at('link'))
  expect(await copy.list()).toEqual([
    { path: 'binary', change: 'added', closed: 'not text' },
    { path: 'flake.nix', change: 'none' },
    { path: 'large', change: 'added', closed: 'too large' },
    { path: 'latin1', change: 'added' },
    { path: 'link', change: 'added', closed: 'link' },
    { path: 'nixos/run.sh', change: 'none' },
  ])
})

test('one file is reset, with its mode; what was not there is removed, what was removed comes back', async () => {
  const start = (await history.start()) ?? ''
  await writeFile(at('nixos/run.sh'), 'changed')
  await chmod(at('nixos/run.sh'), 0o644)
  await writeFile(at('new'), 'new')
  await rm(at('flake.nix'))
  expect((await copy.list()).map(({ change }) => change)).toEqual(['removed', 'added', 'changed'])
  for (const path of ['nixos/run.sh', 'new', 'flake.nix']) await copy.reset(path, start)
  expect(await copy.list()).toEqual([
    { path: 'flake.nix', change: 'none' },
    { path: 'nixos/run.sh', change: 'none' },
  ])
  expect((await stat(at('nixos/run.sh'))).mode & 0o111).toBe(0o111)
})

test('changes are a patch that git applies elsewhere; lock files and what is built are no part of it', async () => {
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

test('a restore keeps what it takes away, and leaves what is no source alone', async () => {
  const start = (await history.start()) ?? ''
  await writeFile(at('mine'), 'a day of work')
  await writeFile(at('disk.qcow2'), 'disk')
  const before = await history.snapshot()
  await history.restore(start)
  expect([existsSync(at('mine')), existsSync(at('disk.qcow2'))]).toEqual([false, true])
  await history.restore(before)
  expect(await text('mine')).toBe('a day of work')
})

test('nothing that a learner writes into the configuration of their git is carried out by the server', async () => {
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
  await copy.list()
  expect(existsSync(trap)).toBe(false)
})

test('edits from outside are told, each once; a save here is told too', async () => {
  const told: [string, string | null][] = []
  copy.on('file', (...change) => told.push(change))
  await copy.watch()
  await writeFile(at('flake.nix'), 'outside\n')
  await vi.waitFor(() => expect(told).toEqual([['flake.nix', sha('outside\n')]]), { timeout: 20_000 })
  await copy.save('flake.nix', 'inside\n', sha('outside\n'))
  await rm(at('nixos/run.sh'))
  await vi.waitFor(
    () =>
      expect(told.slice(1)).toEqual([
        ['flake.nix', sha('inside\n')],
        ['nixos/run.sh', null],
      ]),
    { timeout: 20_000 },
  )
})
