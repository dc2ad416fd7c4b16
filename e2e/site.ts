import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import sirv from 'sirv'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Builds a deck with Slidev itself, without this addon's commands.
 *
 * @returns the output
 */
export async function slidevBuild(deckFile: string, out: string, args: string[] = []): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [join(root, 'node_modules/@slidev/cli/bin/slidev.mjs'), 'build', deckFile, '--out', out, ...args],
    { cwd: dirname(deckFile), env: { ...process.env, NO_COLOR: '1', CI: '1' } },
  )
  return stdout + stderr
}

/**
 * Serves a folder at a path, by default at the root.
 *
 * @returns its URL, without a slash at the end
 */
export async function serveFolder(folder: string, base = ''): Promise<{ url: string; close: () => void }> {
  const files = sirv(folder, { dev: true, single: true })
  const server = createServer((request, response) => {
    if (!request.url?.startsWith(`${base}/`)) return void response.writeHead(404).end()
    request.url = request.url.slice(base.length)
    files(request, response, () => void response.writeHead(404).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`, close: () => server.close() }
}
