import type { Command } from 'commander'

/**
 * Options that npm also has. npm may set them itself, so the environment does not show whether npm has consumed them.
 */
const SET_BY_NPM = ['yes', 'json', 'only']

function isRunByNpm(): boolean {
  return process.env.npm_lifecycle_event !== undefined
}

/** The command line of a command, as the user would type it: with npm run, or with the name of the package. */
export function commandLine(name: string): string {
  if (!isRunByNpm()) return `slidev-addon-understudy ${name}`
  return name === 'start' ? 'npm start --' : `npm run ${name} --`
}

/**
 * Checks that npm has not consumed options of the command, which it does with options before "--".
 *
 * @throws Error with the corrected command line
 */
export function checkConsumedOptions(command: Command): void {
  if (!isRunByNpm()) return
  const consumed = command.options.find((option) => {
    const name = option.name().replace(/^no-/, '')
    return !SET_BY_NPM.includes(name) && process.env[`npm_config_${name.replaceAll('-', '_')}`] !== undefined
  })
  if (consumed)
    throw new Error(
      `npm consumed ${consumed.long ?? ''}. Put options after "--", for example: ${commandLine(command.name())} ${consumed.flags.split(', ').at(-1) ?? ''}`,
    )
}
