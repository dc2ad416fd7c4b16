import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser } from 'playwright-core'

// Loaded by Node itself, because jiti cannot load it.
const { chromium }: typeof import('playwright-core') = createRequire(import.meta.url)('playwright-core')

/** @returns path of the distribution's Chromium or else of Playwright's; undefined if neither is installed */
export function chromiumPath(): string | undefined {
  return ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', chromium.executablePath()].find(
    (path) => existsSync(path),
  )
}

/** Launches headless Chromium. */
export function launchChromium(): Promise<Browser> {
  const executablePath = chromiumPath()
  return chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ['--no-sandbox'] })
}
