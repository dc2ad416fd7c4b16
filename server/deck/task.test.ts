import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readDeck } from './deck.ts'
import { DeckError } from './problems.ts'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-task-'))
})
afterEach(() => rm(folder, { recursive: true }))

const VALID = {
  'task.md':
    '---\ntitle: Another port\nteaches: What an option is\nfiles: [nixos/hello.nix]\ntimeout: 90s\n---\n\nChange the port to **8081**.\n',
  setup: 'true',
  check: 'grep -q 8081 nixos/hello.nix',
  solve: 'sed -i s/8080/8081/ nixos/hello.nix',
  'hints/1.md': 'Look at the options.\n',
  'hints/2.md': 'It is `port`.\n',
}

async function write(id: string, files: Record<string, string | undefined>) {
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) continue
    const file = join(folder, 'tasks', id, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
}

const slides = (...tasks: string[]) =>
  `---\ntitle: Talk\n---\n\n# One\n${tasks.map((task) => `\n---\ntask: ${task}\n---\n\n# Do it\n`).join('')}`

async function read(...tasks: string[]) {
  await writeFile(join(folder, 'slides.md'), slides(...tasks))
  return readDeck(join(folder, 'slides.md'))
}

async function problems(...tasks: string[]): Promise<string[]> {
  const error: unknown = await read(...tasks).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof DeckError)) throw new Error('the deck was accepted')
  return error.problems.map(describeDeckProblem)
}

test('readDeck reads a task with its slide, hints and scripts', async () => {
  await write('port', VALID)
  const { tasks } = await read('port')
  expect([...tasks.values()]).toMatchObject([
    {
      id: 'port',
      title: 'Another port',
      slide: 2,
      place: { file: 'slides.md', line: 8, slide: 2 },
      depends: [],
      timeout: 90,
      files: ['nixos/hello.nix'],
      text: 'Change the port to **8081**.',
      hints: ['Look at the options.', 'It is `port`.'],
      scripts: { check: VALID.check },
    },
  ])
})

test('editing a task script changes the deck version', async () => {
  await write('port', VALID)
  const { version } = await read('port')
  await write('port', { check: 'false' })
  expect((await read('port')).version).not.toBe(version)
})

test('a slide with an unknown task is reported with file and line', async () => {
  expect(await problems('port')).toEqual([
    'slides.md:8 (slide 2): task "port" does not exist: create tasks/port/task.md, or remove the line',
  ])
  expect(await problems('../escape')).toEqual([expect.stringContaining('must be the name of a folder in tasks/')])
})

test('all problems of a task are reported at once, each with file and line', async () => {
  await write('port', {
    ...VALID,
    'task.md': '---\ntitle: Another port\nteches: typo\nfiles: [/etc/passwd]\n---\nText',
    check: ' \n',
    'hints/2.md': undefined,
    'hints/3.md': 'A gap',
    chek: 'true',
  })
  const found = (await problems('port')).map((problem) => problem.replace('slides.md:8 (slide 2): ', ''))
  expect(found.sort()).toEqual([
    expect.stringMatching(/^tasks\/port\/check: is missing or empty/),
    expect.stringMatching(/^tasks\/port\/chek: is not part of a task/),
    expect.stringMatching(/^tasks\/port\/hints\/3.md: hints must be named 1.md/),
    expect.stringMatching(/^tasks\/port\/task.md:2: teaches: /),
    expect.stringMatching(/^tasks\/port\/task.md:3: .*teches/),
    expect.stringMatching(/^tasks\/port\/task.md:4: files: 0: must be a relative path in the flake/),
  ])
})

test('a dependency on a later or missing task is an error', async () => {
  await write('port', { ...VALID, 'task.md': VALID['task.md'].replace('title', 'depends: [page]\ntitle') })
  await write('page', VALID)
  expect(await problems('port', 'page')).toEqual([
    'slides.md:8 (slide 2): task "port" depends on "page", which comes after it: swap the slides',
  ])
  expect(await problems('port')).toEqual([expect.stringContaining('which no slide before it uses')])
  expect((await read('page', 'port')).tasks.get('port')?.depends).toEqual(['page'])
})

test('two slides with the same task are an error', async () => {
  await write('port', VALID)
  expect(await problems('port', 'port')).toEqual([
    'slides.md:14 (slide 3): task "port" is already used at slides.md:8 (slide 2): use each task on one slide',
  ])
})
