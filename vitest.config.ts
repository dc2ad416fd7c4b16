import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{server,components,setup,nix}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
  },
})
