import type { FenceIssue } from '../../shared/deck/fence.ts'

/** Position in the deck. */
export interface Place {
  /** Relative to the folder of the deck. */
  file: string
  /** From 1. */
  line?: number
  /** From 1. */
  slide?: number
}

/** A mistake in a deck. */
export type DeckIssue =
  | { kind: 'is-folder' }
  | { kind: 'missing-file' }
  /** Slidev could not read the file. `message` is Slidev's. */
  | { kind: 'unreadable'; message: string }
  /** Slidev could not parse the slide. `message` is Slidev's. */
  | { kind: 'syntax'; message: string }
  | { kind: 'fence'; issue: FenceIssue }
  | { kind: 'empty-step'; step: string }
  /** `first` is absent if both steps are on this slide. */
  | { kind: 'duplicate-step'; step: string; first?: Place }
  | { kind: 'contract-without-step'; step: string }
  | { kind: 'undeclared-input'; step: string; input: string }
  | { kind: 'unused-input'; step: string; input: string }
  /** A value in the frontmatter does not match its schema. `message` is the schema's. */
  | { kind: 'invalid-value'; key: readonly PropertyKey[]; message: string }
  | { kind: 'duplicate-task'; task: string; first: Place }
  /** A task's folder has a mistake. `message` names the file in it. */
  | { kind: 'task'; message: string }
  | { kind: 'task-order'; task: string; dependency: string; dependencyFollows: boolean }

/** A mistake and its position. */
export type DeckProblem = Place & DeckIssue

/** Thrown for a deck with mistakes. The message lists all of them. */
export class DeckError extends Error {
  override name = 'DeckError'
  readonly problems: readonly DeckProblem[]

  constructor(problems: readonly DeckProblem[]) {
    super(problems.map(describeProblem).join('\n'))
    this.problems = problems
  }
}

/** For example `slides.md:42 (slide 7)`. */
export function describePlace({ file, line, slide }: Place): string {
  return `${file}${line === undefined ? '' : `:${line}`}${slide === undefined ? '' : ` (slide ${slide})`}`
}

/** Describes a problem and its fix in one line. */
export function describeProblem(problem: DeckProblem): string {
  return `${describePlace(problem)}: ${describeIssue(problem)}`
}

function describeIssue(issue: DeckProblem): string {
  switch (issue.kind) {
    case 'is-folder':
      return `is a folder. Use the slides file in it, for example ${issue.file.replace(/\/?$/, '/slides.md')}`
    case 'missing-file':
      return `file not found. ${/^\d+$/.test(issue.file) ? `To set the port, use --port ${issue.file}` : 'Check the path of the deck, or restore the file'}`
    case 'unreadable':
    case 'syntax':
    case 'task':
      return issue.message
    case 'fence':
      return describeFenceIssue(issue.issue)
    case 'empty-step':
      return `step "${issue.step}" is empty: write its command between the backticks`
    case 'duplicate-step':
      return `step "${issue.step}" already exists ${issue.first ? `at ${describePlace(issue.first)}` : 'on this slide'}: give each step a unique id`
    case 'contract-without-step':
      return `"steps.${issue.step}" has no step on this slide: add a fence \`\`\`sh {step=${issue.step}}, or remove the contract`
    case 'undeclared-input':
      return `{{${issue.input}}} is not declared: add "inputs.${issue.input}" to steps.${issue.step}`
    case 'unused-input':
      return `the command of step "${issue.step}" does not use the input "${issue.input}": add {{${issue.input}}}, or remove the input`
    case 'invalid-value':
      return `${issue.key.map(String).join('.')}: ${issue.message}`
    case 'duplicate-task':
      return `task "${issue.task}" is already used at ${describePlace(issue.first)}: use each task on one slide`
    case 'task-order':
      return issue.dependencyFollows
        ? `task "${issue.task}" depends on "${issue.dependency}", which comes after it: swap the slides`
        : `task "${issue.task}" depends on "${issue.dependency}", which no slide before it uses`
  }
}

/** Describes a mistake in the attributes of a fence. */
export function describeFenceIssue(issue: FenceIssue): string {
  switch (issue.kind) {
    case 'language':
      return `a step must be a shell command: write \`\`\`sh {step=…}, not \`\`\`${issue.language || '(no language)'}`
    case 'unknown-attribute':
      return `unknown attribute "${issue.name}" in {${issue.attributes}}: use step=<id> and terminal=<name>`
    case 'repeated-attribute':
      return `"${issue.name}" is set twice in {${issue.attributes}}`
    case 'invalid-id':
      return `invalid ${issue.name === 'step' ? 'step id' : 'terminal name'} "${issue.value}": use up to 64 lowercase letters, digits and hyphens, for example ${issue.name}=run-vm`
    case 'no-step':
      return `no step id in {${issue.attributes}}: write {step=<id>}`
  }
}
