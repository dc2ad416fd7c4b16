import { defineConfig } from 'vitest/config'

const TESTS = '{shared,server,client,setup,nix,tasks,bench}/**/*.test.ts'
/** Tests that need the offline lab, containers or virtual machines, or that take more than five seconds. */
const LAB_TESTS = '{shared,server,client,setup,nix,tasks,bench}/**/*.lab.test.ts'
const exclude = ['**/node_modules/**', '**/dist/**']

export default defineConfig({
  test: {
    // Vitest's default on two cores is one worker, but unit tests mostly wait for shells and timers.
    projects: [
      { extends: true, test: { name: 'unit', include: [TESTS], exclude: [...exclude, LAB_TESTS], maxWorkers: 4 } },
      { extends: true, test: { name: 'lab', include: [LAB_TESTS], exclude, maxWorkers: 2 } },
    ],
    setupFiles: ['./vitest.setup.ts'],
    reporters: ['default', './bin/test/vitest-reporter.js'],
    // Only guards against tests that hang: the duration of shells, builds and virtual machines depends on the machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
})
