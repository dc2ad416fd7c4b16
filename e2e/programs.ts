import { spawnSync } from 'node:child_process'

/**
 * Finds missing programs, as the reason for `test.skip`.
 *
 * @param packages Debian packages by the program that each provides
 * @returns the missing programs and how to install them; undefined if all are installed
 */
export function missingPrograms(packages: Record<string, string>): string | undefined {
  const missing = Object.keys(packages).filter(
    (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  )
  if (missing.length === 0) return undefined
  const install = missing.map((program) => packages[program]).join(' ')
  return `${missing.join(' and ')} not installed (apt-get install ${install})`
}
