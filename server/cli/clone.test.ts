import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { packageRoot } from '../lib/paths.ts'

/** Tests of `bin/`, which is plain JavaScript: they run it in a process of its own. */

/** Evaluates an expression with the exports of a file in bin/. */
function evaluate(file: string, expression: string, env: Record<string, string> = {}): unknown {
  const code = `const m = await import(${JSON.stringify(join(packageRoot, 'bin', file))}); console.log(JSON.stringify(${expression}))`
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    }),
  )
}

test('npm start needs no package that is installed only for the tests', () => {
  const manifest = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')))
  const lock = z
    .object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) })
    .parse(JSON.parse(readFileSync(join(packageRoot, 'package-lock.json'), 'utf8')))
  const onlyForTests = [...Object.keys(manifest.dependencies), '@slidev/cli', 'vite'].filter(
    (name) => lock.packages[`node_modules/${name}`]?.dev === true,
  )
  expect(onlyForTests).toEqual([])
})

test.each([
  { nix: undefined, args: ['start'], lab: true },
  { nix: undefined, args: ['dev', '--no-open', '--port', '4030'], lab: true },
  { nix: '2.25.3', args: ['start'], lab: true },
  { nix: '2.26.0', args: ['start'], lab: false },
  { nix: '2.34.1', args: ['start', '--profile', 'lab'], lab: true },
  { nix: undefined, args: ['start', '--profile=host'], lab: false },
  { nix: undefined, args: ['start', 'other.md'], lab: false },
  { nix: undefined, args: ['start', '--deck=other.md'], lab: false },
  { nix: undefined, args: ['rehearse'], lab: false },
  { nix: undefined, args: [], lab: false },
])('with Nix $nix, "$args" prepares the lab early: $lab', ({ nix, args, lab }) => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-'))
  try {
    if (nix !== undefined) {
      writeFileSync(join(folder, 'nix'), `#!/bin/sh\necho "nix (Nix) ${nix}"\n`)
      chmodSync(join(folder, 'nix'), 0o755)
    }
    expect(evaluate('early-lab.js', `m.needsLab(${JSON.stringify(args)})`, { PATH: folder })).toBe(lab)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a recorded result replaces the row of its cell only', () => {
  const before = `| cell | date |\n| --- | --- |\n| debian13 node24 | – |\n| debian13 node26 | – |\n\nText.`
  const result = { user: false, full: false, passed: true, parts: [], versions: { debian: '13.2', node: '24.1.0' } }
  const after = evaluate(
    'try/table.js',
    `m.withResult(${JSON.stringify(before)}, { debian: '13', node: '24' }, ${JSON.stringify(result)})`,
  )
  expect(after).toMatch(
    /\| debian13 node24 \| \d{4}-\d\d-\d\d \| .* \| passed \| .*Debian 13\.2, Node 24\.1\.0 \|\n\| debian13 node26 \| – \|\n\nText\.$/,
  )
})

test('a misspelled cell is reported with an example', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(packageRoot, 'bin', 'try.js'), 'debian11', 'node24'], {
    encoding: 'utf8',
  })
  expect(status).toBe(2)
  expect(stderr).toContain('for example: debian13 node24')
})
