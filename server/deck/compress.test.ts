import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compressFolder } from './compress.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-compress-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('text files in all folders get a Brotli and a gzip copy with the same content', async () => {
  const text = 'console.log("slides")\n'.repeat(200)
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'assets', 'index.js'), text)
  await compressFolder(folder, 'fast')
  expect((await readdir(join(folder, 'assets'))).sort()).toEqual(['index.js', 'index.js.br', 'index.js.gz'])
  const read = (extension: string) => readFile(join(folder, 'assets', `index.js.${extension}`))
  expect(brotliDecompressSync(await read('br')).toString()).toBe(text)
  expect(gunzipSync(await read('gz')).toString()).toBe(text)
})

test('images, small files and files that do not shrink get no copy', async () => {
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(10_000)))
  await writeFile(join(folder, 'logo.png'), 'x'.repeat(10_000))
  await writeFile(join(folder, 'small.js'), 'x'.repeat(1000))
  await writeFile(join(folder, 'random.wasm'), random)
  await compressFolder(folder, 'fast')
  expect((await readdir(folder)).sort()).toEqual(['logo.png', 'random.wasm', 'small.js'])
})

test('the best effort makes files smaller than the fast one', async () => {
  const source = await readFile(new URL('../../package-lock.json', import.meta.url))
  const sizeWith = async (effort: 'fast' | 'best') => {
    await writeFile(join(folder, 'data.json'), source.subarray(0, 200_000))
    await compressFolder(folder, effort)
    return (await readFile(join(folder, 'data.json.br'))).length
  }
  expect(await sizeWith('best')).toBeLessThan(await sizeWith('fast'))
})
