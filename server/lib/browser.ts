import { existsSync } from 'node:fs'
import type { Browser } from 'playwright-core'

/** Where Debian, Ubuntu, Fedora and Google put it. Without one of these Playwright looks for the one that it has installed. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** What a Chromium without a window is started with: nothing that asks the network by itself, no GPU, and as root no sandbox. */
const ARGUMENTS = [
  ...['gpu', 'quic', 'background-networking', 'component-update', 'sync'].map((feature) => `--disable-${feature}`),
  '--no-first-run',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
]

/** Each command ends what it has started, in order; a browser that takes the signal would end the command first. */
const OURS = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }

/**
 * A Chromium without a window, to take pictures.
 *
 * @throws Error that says what to install
 */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = PLACES.find((place) => existsSync(place))
  // Loaded when it is needed: it is large, and a talk begins without it.
  const { chromium } = await import('playwright-core')
  try {
    return await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ARGUMENTS, ...OURS })
  } catch (error) {
    throw new Error(
      `There is no Chromium here to take pictures with. Install it: apt-get install chromium\n${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    )
  }
}

/**
 * Makes sure that there is a Chromium.
 *
 * @returns its version
 * @throws Error that says what to install
 */
export async function browserVersion(): Promise<string> {
  const browser = await launchBrowser()
  try {
    return browser.version()
  } finally {
    await browser.close()
  }
}
