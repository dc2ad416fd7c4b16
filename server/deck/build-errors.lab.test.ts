import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../lib/paths.ts'
import { buildDeck } from './build.ts'

// Real builds, because the format of the errors is that of Slidev, Vite and Rolldown.

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-errors-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(packageRoot, join(folder, 'node_modules/slidev-addon-understudy'))
  for (const name of ['@slidev', 'vue'])
    await symlink(join(packageRoot, 'node_modules', name), join(folder, 'node_modules', name))
  await write('package.json', '{ "private": true, "type": "module" }')
})
afterEach(() => rm(folder, { recursive: true }))

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

/** Builds a deck that is invalid, and returns the message of the error. */
async function buildError(slides: string, theme = 'none'): Promise<string> {
  await write('slides.md', `---\ntheme: ${theme}\naddons: [slidev-addon-understudy]\n---\n\n${slides}`)
  const file = join(folder, 'slides.md')
  const error: unknown = await buildDeck({ file, files: [file], slides: [] }, join(folder, 'built')).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof Error ? error.message : ''
}

test('a missing picture is reported once for each slide that shows it', async () => {
  await write('part.md', '# Part\n\n![x](./missing.png)\n')
  expect(
    await buildError(
      '# One\n\n![x](./missing.png)\n\n---\n\n# Two\n\n![x](./missing.png)\n\n---\nsrc: ./part.md\n---\n',
    ),
  ).toBe(
    [
      'slides.md:8 (slide 1): cannot resolve "./missing.png"',
      'slides.md:14 (slide 2): cannot resolve "./missing.png"',
      'part.md:3 (slide 3): cannot resolve "./missing.png"',
    ].join('\n'),
  )
})

test('the same mistake in the HTML of two slides names both', async () => {
  expect(await buildError('# One\n\n<div>\n\n---\n\n# Two\n\n<div>\n')).toBe(
    'slides.md (slide 1): Element is missing end tag.\nslides.md (slide 2): Element is missing end tag.',
  )
})

test('a mistake in a component is reported with its file', async () => {
  await write('components/Bad.vue', '<template>\n  <div><p></div>\n</template>\n')
  expect(await buildError('<Bad />\n')).toBe('components/Bad.vue: Element is missing end tag.')
})

test('a mistake in the style of a slide is reported without the bundler’s file names', async () => {
  expect(await buildError('# One\n\n<style>\n.a { color: red; } }\n</style>\n')).toBe(
    'slides.md (slide 1): Unexpected }',
  )
})

test('a package that is not installed is reported with the slide that imports it', async () => {
  expect(await buildError('# One\n\n<script setup>\nimport x from "not-installed"\n</script>\n\n{{ x }}\n')).toBe(
    'slides.md:9 (slide 1): cannot resolve "not-installed"',
  )
})

test('a theme that is not installed is reported with the package to install', async () => {
  expect(await buildError('# One\n', 'geist')).toBe(
    'slides.md:2: the theme "geist" is not installed: npm install slidev-theme-geist',
  )
})

test('a command prints the error of a build once', async () => {
  await write('slides.md', '---\ntheme: geist\n---\n\n# One\n')
  const { all, exitCode } = await execa('node', [join(packageRoot, 'bin/understudy.js'), 'build'], {
    cwd: folder,
    all: true,
    reject: false,
  })
  expect(exitCode).toBe(1)
  expect(all.split('npm install slidev-theme-geist')).toHaveLength(2)
})
