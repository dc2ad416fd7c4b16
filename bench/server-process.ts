import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readDeck } from '../server/deck/deck.ts'
import { ProcessRegistry } from '../server/executor/process-registry.ts'
import { LocalExecutor } from '../server/executor/local.ts'
import type { ProfileRuntime } from '../server/environment/profile.ts'
import { Recorder } from '../server/recording/recorder.ts'
import { TalkServer } from '../server/http/server.ts'
import { deckVersion } from '../server/deck/build-version.ts'
import { Stage } from '../server/steps/stage.ts'
import { freePort } from '../server/test/free-port.ts'

// A child process with the server under test: front door, websocket, session, screen and recorder as in a talk, with a
// deck of one terminal, but without Slidev. The first message to the parent contains the link and the name of the
// terminal. The process exits when the parent disconnects.
const folder = await mkdtemp(join(tmpdir(), 'understudy-bench-'))
// The deck has its own folder, because files beside the slides may be part of the build.
const file = join(folder, 'deck', 'slides.md')
await mkdir(dirname(file))
await writeFile(file, '# Bench\n\n```sh {step=first}\ntrue\n```\n')
const deck = await readDeck(file)
const built = join(folder, 'built')
const pages = join(built, await deckVersion(file, deck.files))
await mkdir(pages, { recursive: true })
await writeFile(join(pages, 'index.html'), 'the deck')

const profile: ProfileRuntime = { name: 'host', env: {} }
const env = { PATH: process.env.PATH ?? '', HOME: folder }
const executor = new LocalExecutor({ cwd: folder, env, registry: new ProcessRegistry(join(folder, 'processes')) })
const stage = new Stage({ deck, profile, executor, resetWorkdir: async () => {} })
await stage.checkRequirements()

const port = await freePort()
const token = 'b'.repeat(43)
const server = new TalkServer({ deck, port, token, stage, profile, built, log: console.error })
await server.build()
await server.open()
const link = `http://localhost:${port}/?token=${token}`

const [terminal = ''] = stage.terminals.list().map(({ name }) => name)
const session = await stage.terminals.of({ terminal }).open()
const recorder = new Recorder({ file: join(folder, 'bench.cast'), secrets: [] })
let recorded = 0
session.attach({
  lossless: true,
  snapshot(channel, cols, rows, data) {
    recorded = 0
    session.ack(channel, 0)
    recorder.snapshot(cols, rows, data)
  },
  output(channel, bytes) {
    recorded += bytes.length
    recorder.output(bytes)
    session.ack(channel, recorded)
  },
})

process.send?.({ link, terminal })
process.once('disconnect', () => void shutDown())

async function shutDown(): Promise<void> {
  await server.close()
  await stage.end()
  await recorder.discard()
  await rm(folder, { recursive: true })
  process.exit()
}
