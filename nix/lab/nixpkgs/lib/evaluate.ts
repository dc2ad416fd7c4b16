// Evaluates Nix expressions for the tests of this library, with the real evaluator
// but without a store, a daemon or the user's configuration.
import { spawnSync } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { describe } from 'vitest'
import { z } from 'zod'

const library = `(import (/. + ${JSON.stringify(import.meta.dirname)}))`

const missing =
  spawnSync('nix-instantiate', ['--version']).status === 0
    ? undefined
    : 'nix-instantiate is not on PATH: apt-get install nix-bin'

/** Groups tests that need Nix. Without Nix they are skipped, and the group's name gives the reason. */
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
 * Evaluates Nix expressions in one run, with `library` and all its names in scope.
 *
 * @returns the values, in the order of the expressions
 * @throws an Error with the output of Nix if one of the expressions fails
 */
export function evaluate(expressions: string[]): unknown[] {
  const { succeeded, stdout, stderr } = run(`[ ${expressions.map((expression) => `(${expression})`).join('\n')} ]`)
  if (!succeeded) throw new Error(stderr)
  return z.array(z.unknown()).parse(JSON.parse(stdout))
}

/** Evaluates an expression and returns what Nix writes to stderr. */
export function warnings(expression: string): string {
  return run(expression).stderr
}

/**
 * Evaluates an expression that fails, and returns the message that was passed to `throw`: without the trace, the
 * indentation and the hints that Nix adds, and without trailing spaces, which depend on the version of Nix.
 *
 * @throws an Error if the expression has a value
 */
export function failure(expression: string): string {
  const { succeeded, stdout, stderr } = run(expression)
  if (succeeded) throw new Error(`Expected a failure, but the value is ${stdout}`)
  const message = stderr.slice(stderr.lastIndexOf('error: ') + 'error: '.length)
  return message
    .replace(/\(use '--show-trace'.*\)/, '')
    .replace(/^ {7}/gm, '')
    .replace(/ +$/gm, '')
    .trim()
}
