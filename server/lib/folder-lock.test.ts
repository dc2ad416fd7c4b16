import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFolder } from './folder-lock.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-lock-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Starts another process that runs a script with `lockFolder` and `folder` in scope. */
function start(script: string) {
  const source = `import { open, rm } from 'node:fs/promises'
import { createJiti } from 'jiti'
const { lockFolder } = await createJiti(import.meta.url).import(${JSON.stringify(join(import.meta.dirname, 'folder-lock.ts'))})
const folder = ${JSON.stringify(folder)}
${script}`
  return execa(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: import.meta.dirname,
  })
}

test('two processes that race for a lock never hold it at the same time', { timeout: 60_000 }, async () => {
  // The process that holds the lock creates a file that must not exist yet, and removes it before releasing the lock.
  const race = `const deadline = Date.now() + 20_000
let held = 0
while (held < 200 && Date.now() < deadline) {
  const release = await lockFolder(folder).catch(() => undefined)
  if (!release) continue
  await (await open(folder + '/held', 'wx')).close()
  await rm(folder + '/held')
  held++
  await release()
}
console.log(held)`
  const results = await Promise.all([start(race), start(race)])
  expect(results.map(({ stdout }) => Number(stdout))).toEqual([200, 200])
})

test('the error names the process that holds the lock, and a killed process leaves no lock behind', async () => {
  const holder = start(`await lockFolder(folder)
console.log('locked')
setInterval(() => {}, 1000)`)
  await once(holder.stdout, 'data')
  await expect(lockFolder(folder)).rejects.toMatchObject({ name: 'FolderLockedError', pid: holder.pid })
  holder.kill('SIGKILL')
  await expect(holder).rejects.toThrow('SIGKILL')
  const release = await lockFolder(folder)
  await release()
})

test('a released lock can be acquired again by the same process', async () => {
  const release = await lockFolder(folder)
  await expect(lockFolder(folder)).rejects.toMatchObject({ pid: process.pid })
  await release()
  await (
    await lockFolder(folder)
  )()
})
