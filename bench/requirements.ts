import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { missingLabPackages } from '../server/environment/profile.ts'
import { chromiumPath } from './chromium.ts'

/** Something that a benchmark needs and that may be missing on this machine. */
export type Requirement = 'chromium' | 'ffmpeg' | 'lab' | 'procfs'

/** @returns the reason that the requirement is not met, with the remedy; undefined if it is met */
export async function missingRequirement(requirement: Requirement): Promise<string | undefined> {
  switch (requirement) {
    case 'chromium':
      return chromiumPath() === undefined ? 'Chromium is not installed (apt-get install chromium)' : undefined
    case 'ffmpeg':
      return spawnSync('ffmpeg', ['-version']).error ? 'ffmpeg is not installed (apt-get install ffmpeg)' : undefined
    case 'lab': {
      const packages = await missingLabPackages()
      return packages.length > 0
        ? `packages of the offline lab are not installed (apt-get install ${packages.join(' ')})`
        : undefined
    }
    case 'procfs':
      return existsSync('/proc/self/stat') ? undefined : 'this system has no /proc (Linux only)'
  }
}
