import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{shared,server,client,setup,nix,tasks}/**/*.test.ts'],
    // Most of them wait for something. Unless told, there is one worker on two cores.
    maxWorkers: 2,
    // For what never ends. Real shells, builds and machines take as long as the machine at hand takes.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    exclude: ['**/node_modules/**', '**/dist/**'],
  },
})
