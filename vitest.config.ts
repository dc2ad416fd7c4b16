import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{server,components,setup,nix}/**/*.test.ts'],
    // The thread of screens is started by Node itself, which knows no TypeScript before 22.18.
    execArgv: ['--import', 'jiti/register'],
    exclude: ['**/node_modules/**', '**/dist/**'],
  },
})
