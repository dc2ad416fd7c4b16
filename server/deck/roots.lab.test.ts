import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { resolveOptions } from '@slidev/cli'
import { expect, onTestFinished, test } from 'vitest'
import { findRoots } from './roots.ts'

// One test in this file: Slidev remembers the roots of the first deck of a process. It is slow because it loads Slidev.
test('the roots are those that Slidev resolves', async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'understudy-roots-')))
  onTestFinished(() => rm(folder, { recursive: true }))
  const files = {
    'talks/package.json': '{ "slidev": { "addons": ["project", "slidev-addon-one"] } }',
    'talks/talk/slides.md': "---\ntheme: ../theme\naddons: [./addon, one, '@/own', '@scope/x']\n---\n\n# Talk\n",
    'talks/talk/own/package.json': '{}',
    'talks/theme/package.json': '{ "slidev": { "defaults": { "addons": ["ignored"] } } }',
    'talks/addon/package.json': '{ "slidev": { "addons": ["./nested"] } }',
    'talks/nested/package.json': '{}',
    'talks/node_modules/slidev-addon-one/package.json': '{}',
    'talks/node_modules/one/package.json': '{}',
    'talks/node_modules/@scope/x/package.json': '{}',
    'node_modules/@slidev/addon-project/package.json': '{}',
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  const entry = join(folder, 'talks/talk/slides.md')
  const { roots } = await resolveOptions({ entry }, 'build')
  const found = await findRoots(entry)
  // Slidev looks the addons of a list up at the same time and adds each when it is found.
  expect(found.all.toSorted()).toEqual(roots.toSorted())
  expect([found.all.at(0), found.all.at(-1)]).toEqual([roots.at(0), roots.at(-1)])
  expect(found.all).toHaveLength(8)
  expect(found.missing).toEqual([])
})
