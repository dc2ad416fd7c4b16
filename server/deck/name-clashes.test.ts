import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withDefaults } from '../../shared/deck/keys.ts'
import { packageRoot } from '../lib/paths.ts'
import { describeNameClash, findNameClashes } from './name-clashes.ts'

let root: string
beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'understudy-names-'))))
afterEach(() => rm(root, { recursive: true }))

async function write(name: string, text = ''): Promise<string> {
  const file = join(root, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}
const find = (keys = {}) => findNameClashes([root, packageRoot], withDefaults(keys), packageRoot)

test('a component or layout with a short name of the addon is reported with its file', async () => {
  const terminal = await write('components/deep/terminal.vue')
  const chart = await write('components/MeasuredChart.ts')
  const stage = await write('layouts/stage.vue')
  const clashes = await find()
  expect(clashes).toEqual([
    { kind: 'component', name: 'MeasuredChart', file: chart },
    { kind: 'component', name: 'Terminal', file: terminal },
    { kind: 'layout', file: stage },
  ])
  expect(clashes.map(describeNameClash)[1]).toContain('terminal.vue replaces the component <Terminal>')
})

test('a component with the prefix of the addon is reported', async () => {
  const file = await write('components/UnderstudyTerminal.vue')
  expect(await find()).toEqual([{ kind: 'reserved-component', name: 'UnderstudyTerminal', file }])
})

test('other names, such as Step, Files or Panel, are not reported', async () => {
  for (const name of ['components/Step.vue', 'components/Files.vue', 'components/Panel.vue', 'components/Terminal.css'])
    await write(name)
  await write('layouts/stage-left.vue')
  await symlink(packageRoot, join(root, 'addon'))
  expect(await findNameClashes([root, join(root, 'addon')], withDefaults({}), packageRoot)).toEqual([])
})

test('a shortcut with a key of the addon is reported, unless the deck has moved that key', async () => {
  const file = await write(
    'setup/shortcuts.ts',
    `export default (nav, base) => [...base, { key: 'r', fn: nav.next }, { key: "Shift_R", fn: nav.prev }]`,
  )
  expect(await find()).toEqual([
    { kind: 'key', command: 'run', key: 'r', file },
    { kind: 'key', command: 'restart', key: 'shift+r', file },
  ])
  expect(await find({ run: 'x', restart: false })).toEqual([])
})
