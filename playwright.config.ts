import { existsSync } from 'node:fs'
import { defineConfig } from '@playwright/test'

const SYSTEM_CHROMIUM = '/usr/bin/chromium'

/**
 * Files whose talks run virtual machines, use the talk's port 8080, or search all processes of the machine. Only one of
 * them runs at a time.
 */
const EXCLUSIVE = ['bad-input', 'class', 'ends', 'faults', 'slides', 'talk', 'workshop'].map(
  (name) => `${name}.spec.ts`,
)

export default defineConfig({
  testDir: 'e2e',
  // Two files at a time: one that needs exclusive use of ports and virtual machines, and one that does not.
  workers: 2,
  projects: [
    { name: 'exclusive', testMatch: EXCLUSIVE, workers: 1 },
    { name: 'shared', testIgnore: EXCLUSIVE, workers: 1 },
  ],
  fullyParallel: false,
  retries: 0,
  // Only guards against tests that hang: builds and virtual machines take minutes on a busy machine.
  timeout: 300_000,
  expect: { timeout: 30_000 },
  use: {
    viewport: { width: 1280, height: 720 },
    screenshot: 'only-on-failure',
    launchOptions: {
      // The distribution's Chromium is preferred to the one that Playwright installs.
      ...(existsSync(SYSTEM_CHROMIUM) && { executablePath: SYSTEM_CHROMIUM }),
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        ...['gpu', 'quic', 'background-networking', 'component-update', 'sync'].map(
          (feature) => `--disable-${feature}`,
        ),
        '--no-first-run',
      ],
    },
  },
})
