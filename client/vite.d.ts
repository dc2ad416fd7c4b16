declare module '*.css'

/** A module that Vite turns into a worker (vite.dev/guide/features#web-workers). */
declare module '*?worker' {
  const Worker: new () => globalThis.Worker
  export default Worker
}

/** The parts of Vite's API that this project uses (vite.dev/guide/features#glob-import and guide/env-and-mode). */
interface ImportMeta {
  glob: ((pattern: string, options: { eager: true; import: 'default'; query?: string }) => Record<string, unknown>) &
    (<Content>(
      pattern: string,
      options: { import: 'default'; query: string },
    ) => Record<string, () => Promise<Content>>)
  readonly env: {
    /** Whether Vite's development server serves the page. */
    readonly DEV: boolean
    /** Set in pages of the addon's server. `slidev` on its own does not set it. */
    readonly VITE_UNDERSTUDY_SERVER?: string
    /** The deck of a static site, as JSON: see transport/static.ts. */
    readonly VITE_UNDERSTUDY_STATIC?: string
    /** Set in builds for the workshop, whose page includes an editor of several megabytes. */
    readonly VITE_UNDERSTUDY_WORKSHOP?: string
  }
}
