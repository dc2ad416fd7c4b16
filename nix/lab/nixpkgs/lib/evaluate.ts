// Evaluates Nix for the tests of this library: with the real evaluator, but
// without a store, a daemon or the user's configuration.
import { spawnSync } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { describe } from 'vitest'
import { z } from 'zod'

const library = `(import (/. + ${JSON.stringify(import.meta.dirname)}))`

const missing =
  spawnSync('nix-instantiate', ['--version']).status === 0
    ? undefined
    : 'nix-instantiate is not on PATH: apt-get install nix-bin'

/** A group of tests that need Nix. Where there is none they are skipped, and the group's name says why. */
export function describeWithNix(name: string, tests: () => void) {
  if (missing) describe.skip(`${name} (skipped: ${missing})`, tests)
  else describe(name, tests)
}

function run(expression: string) {
  const args = [
    '--eval',
    '--strict',
    '--json',
    '--store',
    'dummy://',
    '--expr',
    `let library = ${library}; in with library; ${expression}`,
  ]
  const environment = {
    PATH: process.env.PATH,
    HOME: '/nonexistent',
    NIX_CONF_DIR: '/nonexistent',
    NIX_USER_CONF_FILES: '',
  }
  const { status, stdout, stderr } = spawnSync('nix-instantiate', args, {
    env: environment,
    encoding: 'utf8',
    timeout: 10_000,
  })
  return { succeeded: status === 0, stdout, stderr: stripVTControlCharacters(stderr) }
}

/**
 * The values of Nix expressions, in their order and by one evaluation. `library` and the names in it are in scope.
 * Throws what Nix says if one of them fails.
 */
export function evaluate(expressions: string[]): unknown[] {
  const { succeeded, stdout, stderr } = run(`[ ${expressions.map((expression) => `(${expression})`).join('\n')} ]`)
  if (!succeeded) throw new Error(stderr)
  return z.array(z.unknown()).parse(JSON.parse(stdout))
}

/** What Nix writes to stderr on the way to the value of an expression. */
export function warnings(expression: string): string {
  return run(expression).stderr
}

/**
 * The message with which an expression fails, as `throw` got it: without the trace, the indentation and the hints that
 * Nix puts around it, and without spaces at the end of lines, which not every Nix prints. Throws if the expression has
 * a value.
 */
export function failure(expression: string): string {
  const { succeeded, stdout, stderr } = run(expression)
  if (succeeded) throw new Error(`this was expected to fail, but is ${stdout}`)
  const message = stderr.slice(stderr.lastIndexOf('error: ') + 'error: '.length)
  return message
    .replace(/\(use '--show-trace'.*\)/, '')
    .replace(/^ {7}/gm, '')
    .replace(/ +$/gm, '')
    .trim()
}
