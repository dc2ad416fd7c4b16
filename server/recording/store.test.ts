import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { headerLine } from '../../shared/recording/cast.ts'
import { measurement, type Metadata } from '../../shared/recording/metadata.ts'
import { RecordingStore, staleness } from './store.ts'

let folder: string
let store: RecordingStore
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-store-'))
  store = new RecordingStore(folder)
})
afterEach(() => rm(folder, { recursive: true }))

const facts = (more: Partial<Metadata> = {}): Omit<Metadata, 'cast'> => ({
  step: 'build',
  command: 'nix build',
  hash: 'h1',
  exit: 0,
  seconds: 1.5,
  date: new Date(0).toISOString(),
  profile: 'lab',
  flake: 'f1',
  captures: { size: { value: '42', unit: 'bytes' } },
  ...more,
})
const cast = (text: string) => `${headerLine({ version: 3, term: { cols: 80, rows: 24 } })}[0,"o","${text}"]\n`
/** The output in the stored recording. */
const storedOutput = async () => (await store.read('lab', 'build'))?.cast.events[0]?.data

test('read returns the last saved recording', async () => {
  expect(await store.read('lab', 'build')).toBeUndefined()
  await store.save(facts(), cast('one'))
  expect((await store.read('lab', 'build'))?.metadata).toMatchObject(facts())
  await store.save(facts({ seconds: 2 }), cast('two'), Buffer.from('png'))
  expect(await storedOutput()).toBe('two')
  expect(await store.steps('lab')).toEqual(['build'])
  expect(await store.steps('nixos')).toEqual([])
})

test('after an interrupted save, read returns the old or the new recording', async () => {
  await store.save(facts(), cast('old'))
  const old = {
    cast: await readFile(store.file('lab', 'build', 'cast')),
    json: await readFile(store.file('lab', 'build', 'json')),
  }
  await store.save(facts({ seconds: 9 }), cast('new'))
  const fresh = {
    cast: await readFile(store.file('lab', 'build', 'cast')),
    json: await readFile(store.file('lab', 'build', 'json')),
  }

  // The files after each step of `save`; the last file is incomplete.
  for (const length of [0, 10, fresh.cast.length]) {
    await writeFile(store.file('lab', 'build', 'cast'), old.cast)
    await writeFile(store.file('lab', 'build', 'json'), old.json)
    await writeFile(`${store.file('lab', 'build', 'cast')}.new`, fresh.cast.subarray(0, length))
    expect(await storedOutput()).toBe('old')
  }
  for (const length of [0, 10, fresh.json.length]) {
    await writeFile(`${store.file('lab', 'build', 'json')}.new`, fresh.json.subarray(0, length))
    expect(await storedOutput()).toBe('old')
  }
  await writeFile(store.file('lab', 'build', 'cast'), fresh.cast)
  expect(await storedOutput()).toBe('new')
  expect((await store.read('lab', 'build'))?.metadata.seconds).toBe(9)
})

test('read ignores a truncated recording', async () => {
  await store.save(facts(), cast('complete'))
  await truncate(store.file('lab', 'build', 'cast'), 60)
  expect(await store.read('lab', 'build')).toBeUndefined()
})

test('a line is appended to the history when measurements or nixpkgs change', async () => {
  const size = (value: string) => ({ captures: { size: { value, unit: 'bytes' as const } } })
  for (const value of ['10', '10', '12', '12']) await store.save(facts(size(value)), cast('x'))
  await store.save(facts({ step: 'other', captures: { name: { value: 'text', unit: 'text' } } }), cast('x'))
  await store.save(facts({ ...size('12'), nixpkgs: 'newer' }), cast('x'))
  const lines = (await readFile(join(folder, 'lab', 'history.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => measurement.parse(JSON.parse(line)))
  expect(lines.map(({ captures, nixpkgs }) => [captures.size?.value, nixpkgs])).toEqual([
    ['10', undefined],
    ['12', undefined],
    ['12', 'newer'],
  ])
})

test('a recording is stale if its command or the flake has changed', () => {
  const saved: Metadata = { ...facts(), cast: 'c' }
  expect(staleness(saved, { hash: 'h1', flake: 'f1' })).toBeUndefined()
  expect(staleness(saved, { hash: 'h2', flake: 'f1' })).toBe('command changed')
  expect(staleness(saved, { hash: 'h1', flake: 'f2' })).toBe('flake changed')
})
