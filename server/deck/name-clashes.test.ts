import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withDefaults } from '../../shared/deck/keys.ts'
import { packageRoot } from '../lib/paths.ts'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'
import { findNameClashes } from './name-clashes.ts'

let root: string
beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'understudy-names-'))))
afterEach(() => rm(root, { recursive: true }))

async function write(name: string, text = ''): Promise<void> {
  const file = join(root, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
const find = (keys = {}) => findNameClashes({ roots: [root, packageRoot], deck: root }, withDefaults(keys), packageRoot)

test('a component or layout with a short name of the addon is reported with its file', async () => {
  await write('components/deep/terminal.vue')
  await write('components/MeasuredChart.ts')
  await write('layouts/stage.vue')
  const clashes = await find()
  expect(clashes).toEqual([
    { severity: 'warning', kind: 'replaced-component', name: 'MeasuredChart', file: 'components/MeasuredChart.ts' },
    { severity: 'warning', kind: 'replaced-component', name: 'Terminal', file: 'components/deep/terminal.vue' },
    { severity: 'warning', kind: 'replaced-layout', file: 'layouts/stage.vue' },
  ])
  expect(clashes.map(describeDeckProblem)[1]).toContain('terminal.vue: replaces the component <Terminal>')
})

test('a component with the prefix of the addon is reported', async () => {
  await write('components/UnderstudyTerminal.vue')
  expect(await find()).toMatchObject([
    { kind: 'reserved-component', name: 'UnderstudyTerminal', file: 'components/UnderstudyTerminal.vue' },
  ])
})

test('other names, such as Step, Files or Panel, are not reported', async () => {
  for (const name of ['components/Step.vue', 'components/Files.vue', 'components/Panel.vue', 'components/Terminal.css'])
    await write(name)
  await write('layouts/stage-left.vue')
  await symlink(packageRoot, join(root, 'addon'))
  expect(
    await findNameClashes({ roots: [root, join(root, 'addon')], deck: root }, withDefaults({}), packageRoot),
  ).toEqual([])
})

test('a shortcut with a key of the addon is reported, unless the deck has moved that key', async () => {
  await write(
    'setup/shortcuts.ts',
    `export default (nav, base) => [...base, { key: 'r', fn: nav.next }, { key: "Shift_R", fn: nav.prev }]`,
  )
  expect(await find()).toMatchObject([
    { kind: 'replaced-key', command: 'run', key: 'r', file: 'setup/shortcuts.ts' },
    { kind: 'replaced-key', command: 'restart', key: 'shift+r', file: 'setup/shortcuts.ts' },
  ])
  expect(await find({ run: 'x', restart: false })).toEqual([])
})
