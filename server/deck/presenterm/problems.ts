/** A part of a presenterm deck that could not be converted, or only with a difference. */
export type ImportIssue =
  | { kind: 'front-matter'; key: string }
  | { kind: 'invalid-front-matter'; message: string }
  | { kind: 'unknown-command'; command: string }
  /** A command of presenterm that Slidev has no equivalent for. */
  | { kind: 'unsupported-command'; command: string }
  /** A command inside a list, a quote or a paragraph. */
  | { kind: 'nested-command'; command: string }
  | { kind: 'comment' }
  | { kind: 'invalid-column'; column: number }
  | { kind: 'missing-file'; path: string }
  | { kind: 'include-cycle'; path: string }
  | { kind: 'invalid-file-snippet'; message: string }
  /** Code in a language that no step can run. */
  | { kind: 'not-runnable'; language: string }
  /** Code that runs in an interpreter, fed by the shell. */
  | { kind: 'here-document'; program: string }
  | { kind: 'empty-snippet' }
  /** presenterm runs the code when the slide is shown. */
  | { kind: 'not-automatic'; attribute: string }
  /** Lines that presenterm runs without showing them. */
  | { kind: 'hidden-lines' }
  | { kind: 'attribute'; attribute: string }
  | { kind: 'unrendered'; language: string }
  | { kind: 'unknown-snippet'; id: string }
  | { kind: 'no-terminal'; id: string }
  | { kind: 'html'; text: string }
  | { kind: 'palette-color' }

/** An issue and its position. */
export type ImportProblem = ImportIssue & {
  /** As named in the deck, relative to its folder. */
  file: string
  /** From 1. */
  line: number
}

/** Describes an issue in one line: its position, the reason, and what was done instead. */
export function describeImportProblem(problem: ImportProblem): string {
  return `${problem.file}:${problem.line}: ${describeIssue(problem)}`
}

function describeIssue(issue: ImportIssue): string {
  switch (issue.kind) {
    case 'front-matter':
      return `"${issue.key}" in the front matter has no equivalent and was left out`
    case 'invalid-front-matter':
      return `the front matter is not valid and was left out: ${issue.message}`
    case 'unknown-command':
      return `"${issue.command}" is not a command of presenterm and was left out`
    case 'unsupported-command':
      return `"${issue.command}" has no equivalent and was left out`
    case 'nested-command':
      return `"${issue.command}" within a list, a quote or a line was left out: use v-click there`
    case 'comment':
      return 'the comment was left out, since Slidev could take it for speaker notes'
    case 'invalid-column':
      return `column ${issue.column} does not exist; its content follows the previous column`
    case 'missing-file':
      return `${issue.path} does not exist`
    case 'include-cycle':
      return `${issue.path} includes itself and was left out`
    case 'invalid-file-snippet':
      return `the file snippet is not valid and is shown as it is: ${issue.message}`
    case 'not-runnable':
      return `steps run shell commands: the ${issue.language || 'untyped'} code is shown, but cannot be run. Write a step that runs it from a file`
    case 'here-document':
      return `the code was put into a here-document for ${issue.program}, since steps run shell commands`
    case 'empty-snippet':
      return 'the code contains no command and is only shown'
    case 'not-automatic':
      return `"${issue.attribute}" ran when the slide was shown; the step runs when you run it, and its output is in the terminal`
    case 'hidden-lines':
      return 'hidden lines of the code are visible, since a slide shows all that a step runs'
    case 'attribute':
      return `the attribute "${issue.attribute}" was left out`
    case 'unrendered':
      return `${issue.language} cannot be rendered; its source is shown`
    case 'unknown-snippet':
      return `no step has the id "${issue.id}"; its output was left out`
    case 'no-terminal':
      return `the code with the id "${issue.id}" did not become a step; its output was left out`
    case 'html':
      return `presenterm does not support ${issue.text}; it is shown as text`
    case 'palette-color':
      return 'a color of the palette of the theme is not defined in Slidev: write the color'
  }
}
