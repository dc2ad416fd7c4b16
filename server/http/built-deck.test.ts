import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { access } from '../../shared/roles.ts'
import { compressFolder } from '../deck/compress.ts'
import { freePort } from '../test/free-port.ts'
import { serveBuilt } from './built-deck.ts'

const SCRIPT = 'console.log("slides")\n'.repeat(200)
const PAGE = `<!doctype html>\n<title>Slides</title>\n${'<p>text</p>\n'.repeat(200)}`
const SCRIPT_PATH = '/assets/index-CMGp6T_L.js'

let folder: string
let port: number
const deck = serveBuilt(() => folder)
const server = createServer((request, response) => deck.request(request, response, access('presenter')))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-built-'))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), PAGE)
  await writeFile(join(folder, SCRIPT_PATH), SCRIPT)
  await writeFile(join(folder, 'assets', 'logo-BYkHSa_O.png'), 'picture')
  await compressFolder(folder, 'fast')
  port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

/** Unlike `fetch`, does not decompress the body and adds no headers. */
async function request(path: string, headers: Record<string, string> = {}) {
  const response = await new Promise<IncomingMessage>((resolve) =>
    get({ host: '127.0.0.1', port, path, headers }, resolve),
  )
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(Buffer.from(chunk as Uint8Array))
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
}

describe.each([
  { accept: 'gzip, deflate, br, zstd', encoding: 'br', decode: brotliDecompressSync },
  { accept: 'gzip, deflate', encoding: 'gzip', decode: gunzipSync },
  { accept: 'identity', encoding: undefined, decode: (body: Buffer) => body },
])('with Accept-Encoding: $accept', ({ accept, encoding, decode }) => {
  test.each([
    { path: SCRIPT_PATH, text: SCRIPT, type: /javascript/, cache: 'private, max-age=31536000, immutable' },
    { path: '/', text: PAGE, type: /^text\/html;charset=utf-8$/, cache: 'no-cache' },
    { path: '/presenter/3', text: PAGE, type: /^text\/html;charset=utf-8$/, cache: 'no-cache' },
  ])(`$path is sent as ${encoding ?? 'it is'}`, async ({ path, text, type, cache }) => {
    const { status, headers, body } = await request(path, { 'Accept-Encoding': accept })
    expect(status).toBe(200)
    expect(headers['content-encoding']).toBe(encoding)
    expect(headers['content-type']).toMatch(type)
    expect(headers['content-length']).toBe(String(body.length))
    expect(headers['cache-control']).toBe(cache)
    expect(headers.vary).toBe('Accept-Encoding')
    expect(decode(body).toString()).toBe(text)
  })

  test('a revalidated page is answered with 304 and the headers of the page', async () => {
    const { headers } = await request('/', { 'Accept-Encoding': accept })
    const again = await request('/', { 'Accept-Encoding': accept, 'If-None-Match': headers.etag ?? '' })
    expect(again.status).toBe(304)
    expect(again.body.length).toBe(0)
    expect(again.headers['cache-control']).toBe('no-cache')
    expect(again.headers.vary).toBe('Accept-Encoding')
  })
})

test('the encodings of a file have different ETags', async () => {
  const etags = await Promise.all(
    ['br', 'gzip', 'identity'].map(
      async (accept) => (await request(SCRIPT_PATH, { 'Accept-Encoding': accept })).headers.etag,
    ),
  )
  expect(new Set(etags).size).toBe(3)
})

test('a file without compressed copies is sent as it is', async () => {
  const { headers, body } = await request('/assets/logo-BYkHSa_O.png', { 'Accept-Encoding': 'br' })
  expect(headers['content-encoding']).toBeUndefined()
  expect(headers['content-type']).toBe('image/png')
  expect(body.toString()).toBe('picture')
})

test('a hashed file that does not exist is answered with 404, which browsers do not keep', async () => {
  const { status, headers } = await request('/assets/index-00000000.js', { 'Accept-Encoding': 'br' })
  expect(status).toBe(404)
  expect(headers['cache-control']).toBe('no-store')
})
