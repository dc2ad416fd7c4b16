declare module '*.css'

/** Vite's, as far as it is used here (vite.dev/guide/features#glob-import). */
interface ImportMeta {
  glob(pattern: string, options: { eager: true; import: 'default'; query?: string }): Record<string, unknown>
}
