import { existsSync } from 'node:fs'
import { defineConfig } from '@playwright/test'

const system = '/usr/bin/chromium'

export default defineConfig({
  testDir: 'e2e',
  // One stage, one port 8080: the tests share the machine's ports and cores.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: {
    viewport: { width: 1280, height: 720 },
    screenshot: 'only-on-failure',
    launchOptions: {
      // Debian's Chromium where it is there, else the one that Playwright has installed.
      ...(existsSync(system) && { executablePath: system }),
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
