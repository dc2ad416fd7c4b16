import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { access } from '../../shared/roles.ts'
import { freePort } from '../test/free-port.ts'
import { fetchFrom } from '../test/requests.ts'
import { recordingRoute, stepPageRoute, withRoutes } from './routes.ts'
import { StepPages } from './step-pages.ts'

let folder: string
let port: number
let server: Server
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-routes-'))
  await writeFile(join(folder, 'greet.cast'), 'a recording')
  const files: Record<string, string> = { greet: join(folder, 'greet.cast'), removed: join(folder, 'removed.cast') }
  const pages = new StepPages('https://*.workshop.example', ({ step }) =>
    step === 'site' ? 'http://127.0.0.1:8080/' : undefined,
  )
  const deck = withRoutes({ request: (_, response) => void response.end('the deck') }, [
    stepPageRoute(pages),
    recordingRoute({ castFile: (step) => files[step] }),
  ])
  port = await freePort()
  server = createServer((request, response) => deck.request(request, response, access('presenter')))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

const get = (path: string) => fetchFrom(port, path, {})

test('the deck answers requests that match no route', async () => {
  expect(await get('/3?clicks=2')).toMatchObject({ status: 200, text: 'the deck' })
})

test('the recording of a step is served as an asciicast', async () => {
  const { status, headers, text } = await get('/understudy/recordings/greet.cast')
  expect([status, headers['content-type'], text]).toEqual([200, 'application/x-asciicast', 'a recording'])
})

test.each(['unknown.cast', 'removed.cast', 'greet.json', '..%2fgreet.cast'])(
  'the recording %s is answered with 404 and the command that records it',
  async (name) => {
    const { status, text } = await get(`/understudy/recordings/${name}`)
    expect(status).toBe(404)
    expect(text).toContain('npx slidev-addon-understudy rehearse')
  },
)

test('the page of a serving step redirects to its own host', async () => {
  const { status, headers } = await get('/understudy/pages/site')
  expect(status).toBe(303)
  expect(headers.location).toMatch(/^https:\/\/[0-9a-f]{32}\.workshop\.example\//)
})

test('the page of a step that is not serving is answered with 404', async () => {
  expect(await get('/understudy/pages/other')).toMatchObject({ status: 404, text: expect.stringContaining('Run it') })
})
