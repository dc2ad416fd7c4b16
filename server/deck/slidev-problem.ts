/** A reason why a deck has no Slidev that the addon can use. */
export type SlidevProblem =
  | { kind: 'missing'; range: string }
  /** `folder` is that of @slidev/cli. */
  | { kind: 'unsupported'; version: string; folder: string; range: string }
  /** Slidev lacks a part that the addon uses, for example after an interrupted installation. */
  | { kind: 'incomplete'; version: string; folder: string; part: string }

/** Describes the problem and its fix. */
export function describeSlidevProblem(problem: SlidevProblem): string {
  switch (problem.kind) {
    case 'missing':
      return 'Slidev is not installed. Run: npm install @slidev/cli @slidev/theme-default'
    case 'unsupported':
      return (
        `Slidev ${problem.version} is not supported (${problem.folder}): slidev-addon-understudy requires ` +
        `@slidev/cli ${problem.range}. Run: npm install "@slidev/cli@${problem.range}"`
      )
    case 'incomplete':
      return (
        `Slidev ${problem.version} lacks ${problem.part}, which slidev-addon-understudy uses (${problem.folder}). ` +
        'Reinstall it: npm install @slidev/cli'
      )
  }
}
