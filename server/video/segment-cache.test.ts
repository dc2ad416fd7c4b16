import { mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeStaleFiles, rendererVersion, temporaryName } from './segment-cache.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-segments-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('the renderer version changes when any file of the renderer is added, edited or renamed', async () => {
  const versions = new Set<string>()
  const record = async () => versions.add(await rendererVersion(folder))
  await record()
  await writeFile(join(folder, 'typing.ts'), 'one')
  await record()
  await writeFile(join(folder, 'typing.ts'), 'two')
  await record()
  await rename(join(folder, 'typing.ts'), join(folder, 'keystrokes.ts'))
  await record()
  expect(versions.size).toBe(4)
})

test('the renderer version does not depend on tests', async () => {
  await writeFile(join(folder, 'typing.ts'), 'one')
  const version = await rendererVersion(folder)
  await writeFile(join(folder, 'typing.test.ts'), 'one')
  expect(await rendererVersion(folder)).toBe(version)
})

test('the renderer version covers the folder of the renderer by default', async () => {
  expect(await rendererVersion()).toBe(await rendererVersion(import.meta.dirname))
})

test('removeStaleFiles removes files of ended processes and unused segments only', async () => {
  const { pid: endedPid } = await endedProcess()
  await mkdir(join(folder, `tmp-${endedPid}-frames-0`))
  await writeFile(join(folder, temporaryName('join')), '')
  await writeFile(join(folder, 'recent.mp4'), '')
  await writeFile(join(folder, 'old.mp4'), '')
  const monthAgo = Date.now() / 1000 - 30 * 86_400
  await utimes(join(folder, 'old.mp4'), monthAgo, monthAgo)
  await removeStaleFiles(folder)
  expect((await readdir(folder)).sort()).toEqual(['recent.mp4', temporaryName('join')].sort())
})

async function endedProcess(): Promise<{ pid: number | undefined }> {
  const child = execa(process.execPath, ['-e', ''])
  await child
  return { pid: child.pid }
}
