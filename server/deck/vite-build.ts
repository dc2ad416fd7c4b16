/** The part of Rollup's output options that is changed here. */
interface OutputOptions {
  manualChunks?: (module: string, meta: never) => unknown
}

/**
 * Libraries that do nothing when they are imported, but whose package.json does not say so. Slidev's client imports one
 * function of its parser, and with it a YAML parser that no page uses.
 */
const WITHOUT_SIDE_EFFECTS = /\/node_modules\/(yaml|@slidev\/parser)\//

/** Chunks in which Slidev collects all of Shiki, and all type declarations for Monaco. */
const COLLECTIVE_CHUNKS = /^(modules\/shiki|monaco\/)/

/** A Vite plugin for builds whose first slide loads only what it shows. */
export function loadOnDemand() {
  return {
    name: 'understudy:load-on-demand',
    config: () => ({
      build: {
        rollupOptions: {
          treeshake: { moduleSideEffects: [{ test: WITHOUT_SIDE_EFFECTS, sideEffects: false }] },
        },
      },
    }),
    /**
     * Splits Shiki and Monaco by their own dynamic imports. A collective chunk would also take in Vue, on which one of
     * its modules depends, so that every slide would load all languages of a highlighter that only an editor needs.
     */
    outputOptions<Options extends OutputOptions>(options: Options): Options {
      const { manualChunks } = options
      if (!manualChunks) return options
      return {
        ...options,
        manualChunks(module: string, meta: never) {
          const chunk = manualChunks(module, meta)
          return typeof chunk === 'string' && !COLLECTIVE_CHUNKS.test(chunk) ? chunk : undefined
        },
      }
    },
  }
}
