import { afterEach, beforeEach, expect, test } from 'vitest'
import { execa } from 'execa'
import { join } from 'node:path'
import { packageRoot } from '../lib/paths.ts'
import { WrittenDeck } from '../test/written-deck.ts'

let deck: WrittenDeck
beforeEach(async () => {
  deck = await WrittenDeck.create()
  await deck.write({
    'slides.md': '---\ntheme: none\nfonts: { provider: none }\nfavicon: /icon, 100%.svg\n---\n\n![x](./a:b,c.png)\n',
    'pages/other.md': '---\ntheme: none\nfonts: { provider: none }\nfavicon: /f.svg\n---\n\n<Youtube id="x" />\n',
  })
})
afterEach(() => deck.remove())

function check(...args: string[]) {
  const cli = join(packageRoot, 'bin', 'understudy.js')
  return execa(process.execPath, [cli, 'check', ...args], { cwd: deck.folder, reject: false })
}

test('check prints each problem as compilers do, and fails', async () => {
  const { stdout, exitCode } = await check()
  expect(stdout.split('\n')).toEqual([
    'slides.md:7: error: cannot resolve "./a:b,c.png": file not found. The path is relative to this file; a path that begins with / is in public/ (slide 1)',
    '1 error, 0 warnings',
  ])
  expect(exitCode).toBe(1)
})

test('check --json prints problems with file, line, slide, severity and kind', async () => {
  const { stdout, exitCode } = await check('--json')
  expect(JSON.parse(stdout)).toMatchObject({
    errors: 1,
    warnings: 0,
    problems: [{ file: 'slides.md', line: 7, slide: 1, severity: 'error', kind: 'missing-asset' }],
  })
  expect(exitCode).toBe(1)
})

test('check --github prints annotations with paths relative to the current folder', async () => {
  await deck.write({ 'pages/a,b.md': '---\ntheme: none\n---\n\n![x](./100%.png)\n' })
  const { stdout } = await check('pages/a,b.md', '--github')
  expect(stdout).toContain('::error file=pages/a%2Cb.md,line=5,title=Slide 1::cannot resolve "./100%25.png"')
})

test('warnings fail only with --strict', async () => {
  const { stdout, exitCode } = await check('pages/other.md')
  expect(stdout).toMatch(/^pages\/other\.md:7: warning: .*\n0 errors, 1 warning$/)
  expect(exitCode).toBe(0)
  expect((await check('pages/other.md', '--strict')).exitCode).toBe(1)
})
