declare module '*.css'

/** A module that Vite makes a worker of (vite.dev/guide/features#web-workers). */
declare module '*?worker' {
  const Worker: new () => globalThis.Worker
  export default Worker
}

/** Vite's, as far as it is used here (vite.dev/guide/features#glob-import and guide/env-and-mode). */
interface ImportMeta {
  glob: ((pattern: string, options: { eager: true; import: 'default'; query?: string }) => Record<string, unknown>) &
    (<Content>(
      pattern: string,
      options: { import: 'default'; query: string },
    ) => Record<string, () => Promise<Content>>)
  readonly env: {
    /** The deck of a static site, as JSON: see static-server.ts. */
    readonly VITE_UNDERSTUDY_STATIC?: string
    /** Set where the deck is built for the workshop: its page brings an editor of some megabytes. */
    readonly VITE_UNDERSTUDY_WORKSHOP?: string
  }
}
