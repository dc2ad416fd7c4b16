import { existsSync } from 'node:fs'
import type { Browser } from 'playwright-core'

/**
 * Paths of Chromium and Chrome on Debian, Ubuntu and Fedora. If none exists, Playwright looks for the browser that it
 * has installed.
 */
const EXECUTABLES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Turns off the GPU and all features that use the network on their own. The sandbox does not work as root. */
const ARGUMENTS = [
  ...['gpu', 'quic', 'background-networking', 'component-update', 'sync'].map((feature) => `--disable-${feature}`),
  '--no-first-run',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
]

/** Playwright would close the browser on a signal. The commands close their resources themselves, in order. */
const IGNORE_SIGNALS = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }

/**
 * Starts a headless Chromium.
 *
 * @throws Error with the package to install
 */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = EXECUTABLES.find((path) => existsSync(path))
  // Loaded on demand: the module is large, and a talk starts without it.
  const { chromium } = await import('playwright-core')
  try {
    return await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ARGUMENTS,
      ...IGNORE_SIGNALS,
    })
  } catch (error) {
    throw new Error(
      `Cannot start Chromium. Install it: apt-get install chromium\n${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    )
  }
}

/**
 * Starts a headless Chromium to read its version.
 *
 * @throws Error with the package to install
 */
export async function browserVersion(): Promise<string> {
  const browser = await launchBrowser()
  try {
    return browser.version()
  } finally {
    await browser.close()
  }
}
