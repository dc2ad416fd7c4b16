import type { FenceIssue } from '../deck/fence.ts'
import type { KeyCommand } from '../deck/keys.ts'

/** Position in the deck. */
export interface Place {
  /** Relative to the folder of the deck. */
  file: string
  /** From 1. */
  line?: number
  /** From 1. */
  slide?: number
}

/** A deck with errors cannot be used. A warning names something that is probably a mistake. */
export type Severity = 'error' | 'warning'

/** A mistake in a deck, or something that is probably one. */
export type DeckIssue =
  | { kind: 'is-folder' }
  | { kind: 'missing-file' }
  /** Slidev could not read the file. `message` is Slidev's. */
  | { kind: 'unreadable'; message: string }
  /** Slidev could not parse the slide. `message` is Slidev's. */
  | { kind: 'syntax'; message: string }
  /** The invisible character that some editors write at the beginning of a file. Slidev takes it for text. */
  | { kind: 'byte-order-mark' }
  /** `setup/preparser.ts` failed. `message` is its error's. */
  | { kind: 'preparser'; message: string }
  /** The frontmatter is not valid YAML; Slidev ignores it silently. `reason` is the YAML parser's. */
  | { kind: 'frontmatter'; reason: string }
  | { kind: 'frontmatter-not-map' }
  /** Slidev ends the frontmatter at the first `---`, even within a line. */
  | { kind: 'frontmatter-cut' }
  | { kind: 'frontmatter-not-closed' }
  | { kind: 'import'; src: string; reason: ImportFailure }
  | { kind: 'snippet'; path: string; reason: SnippetFailure }
  | { kind: 'comment-not-closed' }
  | { kind: 'fence'; issue: FenceIssue }
  | { kind: 'fence-not-closed'; step: string }
  /** The page shows the fence of a step as text, because it is part of something else. */
  | { kind: 'swallowed-step'; by: Swallower }
  | { kind: 'step-in-magic-move' }
  | { kind: 'empty-step'; step: string }
  | { kind: 'duplicate-step'; step: string; first: Place }
  /** Two importers of the same slide declare different contracts. */
  | { kind: 'different-contracts'; step: string; first: Place }
  | { kind: 'contract-without-step'; step: string }
  | { kind: 'unused-input'; step: string; input: string }
  | { kind: 'similar-input'; step: string; written: string; input: string }
  | { kind: 'unknown-dependency'; step: string; dependency: string; suggestion?: string }
  | { kind: 'hidden-dependency'; step: string; dependency: string; hidden: Place }
  | { kind: 'later-dependency'; step: string; dependency: string; later: Place }
  | { kind: 'dependency-cycle'; steps: readonly string[] }
  | { kind: 'suspicious-character'; step: string; character: string }
  | { kind: 'prompt-in-command'; step: string }
  | { kind: 'unknown-terminal'; terminal: string; known: readonly string[] }
  | { kind: 'hidden-output'; step: string; terminal: string }
  /** A value in the frontmatter does not match its schema. `message` is the schema's. */
  | { kind: 'invalid-value'; key: readonly PropertyKey[]; message: string }
  | { kind: 'unknown-key'; key: readonly PropertyKey[]; suggestion?: string }
  | { kind: 'duplicate-task'; task: string; first: Place }
  /** A task's folder has a mistake. `message` names the file in it. */
  | { kind: 'task'; message: string }
  | { kind: 'task-order'; task: string; dependency: string; dependencyFollows: boolean }
  /** An image or another file that a slide loads. `inPublic`: the browser loads it, so it has to be in public/. */
  | { kind: 'missing-asset'; url: string; inPublic: boolean }
  /** A slide depends on the network. */
  | { kind: 'network'; url: string }
  /** Slidev loads these fonts from a provider. */
  | { kind: 'network-fonts'; fonts: readonly string[]; provider: string }
  | { kind: 'network-favicon'; url: string }
  /** The component shows content of another site. */
  | { kind: 'network-component'; component: string }
  | { kind: 'missing-root'; type: 'theme' | 'addon'; name: string; package?: string }
  /** A file or a package that a slide or a component imports does not exist. Found by a build. */
  | { kind: 'unresolved-import'; import: string }
  /** `message` is that of Vite or one of its plugins. Found by a build. */
  | { kind: 'compilation'; message: string }
  /** The file's component has the short name of one of the addon's, and replaces it. */
  | { kind: 'replaced-component'; name: string }
  /** The file's component has a reserved name, so that either component may be used. */
  | { kind: 'reserved-component'; name: string }
  /** The file is the layout of `layout: stage`. */
  | { kind: 'replaced-layout' }
  /** A shortcut of the file has the key of a command. */
  | { kind: 'replaced-key'; command: KeyCommand; key: string }
  | { kind: 'unused-task'; task: string }
  /** Recordings: `step` is the step that they belong to. */
  | { kind: 'recording-without-step'; step: string }
  | { kind: 'unreadable-recording'; step: string }
  | { kind: 'stale-recording'; step: string; reason: 'command changed' | 'flake changed' }
  /** The built page has a step that the server has not read from the deck. */
  | { kind: 'step-only-on-page'; step: string }
  /** The server has read a step that the built page does not show. */
  | { kind: 'step-not-on-page'; step: string }

/** Why `src:` imports nothing. */
export type ImportFailure =
  | { kind: 'not-a-path' }
  | { kind: 'missing' }
  | { kind: 'not-a-file' }
  | { kind: 'outside' }
  | { kind: 'circular' }
  /** `slide` is a number or a range. */
  | { kind: 'missing-slide'; slide: string; slides: number }

/** Why `<<<` shows no code. */
export type SnippetFailure = 'missing' | 'outside' | 'missing-region'

/** What contains the fence of a step, so that it is not a fence. */
export type Swallower =
  | { kind: 'html'; tag: string; /** Whether the element never contains Markdown. */ raw: boolean }
  | { kind: 'fence'; line?: number }
  | { kind: 'indentation' }

/** A mistake, its position and its severity. */
export type DeckProblem = Place & { severity: Severity } & DeckIssue

/** The names of the addon's components in the deck begin with it. */
export const COMPONENT_PREFIX = 'Understudy'

/** For example `slides.md:42 (slide 7)`. */
export function describePlace({ file, line, slide }: Place): string {
  return `${file}${line === undefined ? '' : `:${line}`}${slide === undefined ? '' : ` (slide ${slide})`}`
}

/** Describes a problem and its fix in one line, after its position. */
export function describeDeckProblem(problem: DeckProblem): string {
  return `${describePlace(problem)}: ${describeDeckIssue(problem)}`
}

/** Describes a problem and its fix in one line, without its position. */
export function describeDeckIssue(issue: DeckIssue & Pick<Place, 'file'>): string {
  switch (issue.kind) {
    case 'is-folder':
      return `is a folder. Use the slides file in it, for example ${issue.file.replace(/\/?$/, '/slides.md')}`
    case 'missing-file':
      return `file not found. ${/^\d+$/.test(issue.file) ? `To set the port, use --port ${issue.file}` : 'Check the path of the deck, or restore the file'}`
    case 'unreadable':
    case 'syntax':
    case 'task':
      return issue.message
    case 'byte-order-mark':
      return 'starts with a byte order mark, which hides the frontmatter from Slidev: save the file as UTF-8 without BOM'
    case 'preparser':
      return `setup/preparser.ts failed: ${issue.message}`
    case 'frontmatter':
      return `invalid frontmatter: ${issue.reason}`
    case 'frontmatter-not-map':
      return 'invalid frontmatter: write lines of the form "key: value"'
    case 'frontmatter-cut':
      return '"---" ends the frontmatter here, even within a line: write it differently, for example with a dash'
    case 'frontmatter-not-closed':
      return 'the frontmatter is not closed: add a line "---" after it'
    case 'import':
      return describeImportFailure(issue.src, issue.reason)
    case 'snippet':
      return describeSnippetFailure(issue.path, issue.reason)
    case 'comment-not-closed':
      return 'the comment is not closed: add "-->" on a line that is not a paragraph of its own'
    case 'fence':
      return describeFenceIssue(issue.issue)
    case 'fence-not-closed':
      return `the fence of step "${issue.step}" is not closed on its slide. If its command contains a line "---", which starts a slide, use backticks, and do not put the fence into a list`
    case 'swallowed-step':
      return describeSwallower(issue.by)
    case 'step-in-magic-move':
      return 'a step cannot be part of magic-move: use a fence of its own'
    case 'empty-step':
      return `step "${issue.step}" is empty: write its command between the backticks`
    case 'duplicate-step':
      return `step "${issue.step}" already exists at ${describePlace(issue.first)}: give each step a unique id`
    case 'different-contracts':
      return `step "${issue.step}" has another contract here than at ${describePlace(issue.first)}: give both importers the same "steps"`
    case 'contract-without-step':
      return `"steps.${issue.step}" has no step on this slide: add a fence \`\`\`sh {step=${issue.step}}, or remove the contract`
    case 'unused-input':
      return `the command of step "${issue.step}" does not use the input "${issue.input}": add {{${issue.input}}}, or remove the input`
    case 'similar-input':
      return `{{${issue.written}}} is typed as it is, because step "${issue.step}" has no such input. Did you mean {{${issue.input}}}?`
    case 'unknown-dependency':
      return `step "${issue.step}" depends on "${issue.dependency}", which does not exist${issue.suggestion === undefined ? '' : `. Did you mean "${issue.suggestion}"?`}`
    case 'hidden-dependency':
      return `step "${issue.step}" depends on "${issue.dependency}", whose slide is hidden (${describePlace(issue.hidden)})`
    case 'later-dependency':
      return `step "${issue.step}" depends on "${issue.dependency}", which comes after it (${describePlace(issue.later)}): swap them`
    case 'dependency-cycle':
      return `steps depend on each other: ${issue.steps.join(' → ')}`
    case 'suspicious-character':
      return `the command of step "${issue.step}" contains ${describeCharacter(issue.character)}`
    case 'prompt-in-command':
      return `the command of step "${issue.step}" contains the prompt "$", which is typed too: remove it, or write \`\`\`console`
    case 'unknown-terminal':
      return `no step uses a terminal "${issue.terminal}"${issue.known.length === 0 ? '' : `. Terminals of this deck: ${issue.known.join(', ')}`}`
    case 'hidden-output':
      return `the output of step "${issue.step}" is not visible: add <Terminal name="${issue.terminal}" />, or use the layout "stage"`
    case 'invalid-value':
      return `${issue.key.map(String).join('.')}: ${issue.message}`
    case 'unknown-key': {
      const written = issue.key.map(String).join('.')
      return issue.suggestion === undefined
        ? `unknown key "${written}"`
        : `unknown key "${written}": did you mean "${issue.suggestion}"?`
    }
    case 'duplicate-task':
      return `task "${issue.task}" is already used at ${describePlace(issue.first)}: use each task on one slide`
    case 'task-order':
      return issue.dependencyFollows
        ? `task "${issue.task}" depends on "${issue.dependency}", which comes after it: swap the slides`
        : `task "${issue.task}" depends on "${issue.dependency}", which no slide before it uses`
    case 'missing-asset':
      return `cannot resolve "${issue.url}": ${issue.inPublic ? 'there is no such file in public/' : 'file not found. The path is relative to this file; a path that begins with / is in public/'}`
    case 'network':
      return `"${issue.url}" is loaded from the network: put a copy into public/, so that the slide works without one`
    case 'network-fonts':
      return `the fonts ${issue.fonts.join(', ')} are loaded from the network (provider ${issue.provider}): install them with npm and import them in styles/index.ts, and set fonts.provider to none`
    case 'network-favicon':
      return `the icon of the page is loaded from the network (${issue.url}): put one into public/, and set favicon: /favicon.svg`
    case 'network-component':
      return `<${issue.component}> loads its content from the network: the slide is incomplete without one`
    case 'missing-root':
      return issue.package === undefined
        ? `the ${issue.type} "${issue.name}" does not exist: check its path, which is relative to the parent of the deck's folder if it begins with ./`
        : `the ${issue.type} "${issue.name}" is not installed: npm install ${issue.package}`
    case 'unresolved-import':
      return `cannot resolve "${issue.import}"`
    case 'compilation':
      return issue.message
    case 'replaced-component':
      return `replaces the component <${issue.name}> of slidev-addon-understudy, which is still available as <${COMPONENT_PREFIX}${issue.name}>`
    case 'reserved-component':
      return `the names of slidev-addon-understudy's own components begin with "${COMPONENT_PREFIX}": rename the file`
    case 'replaced-layout':
      return 'replaces the layout "stage" of slidev-addon-understudy, which is still available as "understudy-stage"'
    case 'replaced-key':
      return `uses the key "${issue.key}" of slidev-addon-understudy: choose another for it in the headmatter, as in understudy: { keys: { ${issue.command}: x } }`
    case 'unused-task':
      return `no slide presents the task "${issue.task}": set "task: ${issue.task}" in the frontmatter of a slide, or remove its folder`
    case 'recording-without-step':
      return `the deck has no step "${issue.step}": remove its recording, or rename it if you have renamed the step`
    case 'unreadable-recording':
      return `the recording of step "${issue.step}" cannot be read: record the step again`
    case 'stale-recording':
      return issue.reason === 'command changed'
        ? `the command of step "${issue.step}" has changed since its recording: record the step again`
        : `the flake has changed since the recording of step "${issue.step}": record the step again`
    case 'step-only-on-page':
      return `the page has a step "${issue.step}" that is not in the deck's files, for example from setup/transformers.ts. The server cannot run it: create steps in setup/preparser.ts instead`
    case 'step-not-on-page':
      return `the page does not show step "${issue.step}". Check the text around its fence (formulas, HTML, components), and setup/transformers.ts of the deck, its theme and its addons`
  }
}

function describeImportFailure(src: string, failure: ImportFailure): string {
  switch (failure.kind) {
    case 'not-a-path':
      return `invalid "src": write the path of a Markdown file`
    case 'missing':
      return `cannot import "${src}": file not found. Check the path, which is relative to this file`
    case 'not-a-file':
      return `cannot import "${src}": it is not a file`
    case 'outside':
      return `cannot import "${src}": it is outside the project`
    case 'circular':
      return `cannot import "${src}": the file imports itself`
    case 'missing-slide':
      return `cannot import "${src}": there is no slide "${failure.slide}". The file has ${failure.slides}`
  }
}

function describeSnippetFailure(path: string, failure: SnippetFailure): string {
  switch (failure) {
    case 'missing':
      return `cannot show "${path}": file not found. The path is relative to this file; @/ is the folder of the deck`
    case 'outside':
      return `cannot show "${path}": it is outside the project`
    case 'missing-region':
      return `"${path}": there is no such region, so the whole file would be typed: add "# #region" and "# #endregion"`
  }
}

function describeSwallower(by: Swallower): string {
  switch (by.kind) {
    case 'html':
      return by.raw
        ? `the page shows this step as text, because <${by.tag}> contains no Markdown: put the fence outside`
        : `the page shows this step as text: a blank line is missing between <${by.tag}> and the fence`
    case 'fence':
      return `the page shows this step as text, because the fence before it${by.line === undefined ? '' : ` (line ${by.line})`} is not closed. To show how a step is written, give the outer fence more backticks`
    case 'indentation':
      return 'the page shows this step as text, because it is indented by four or more spaces: indent it less'
  }
}

const CHARACTER_NAMES: Record<string, string> = {
  '\u00a0': 'a no-break space',
  '\u2007': 'a no-break space',
  '\u202f': 'a no-break space',
  '\u200b': 'a zero-width space',
  '\u200c': 'an invisible character',
  '\u200d': 'an invisible character',
  '\u2060': 'an invisible character',
  '\ufeff': 'an invisible character',
  '\u00ad': 'an invisible character',
}

function describeCharacter(character: string): string {
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
  const name = CHARACTER_NAMES[character]
  if (name !== undefined) return `${name} (${code}): the shell does not treat it as a space`
  if (/[–—]/.test(character)) return `the dash ${character} (${code}): options begin with "-"`
  return `the curly quote ${character} (${code}): the shell does not treat it as a quote`
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
    case 'several-steps':
      return 'the fence declares its step twice: write {step=<id> terminal=<name>} once'
    case 'editor':
      return `a step cannot be an editor: remove {${issue.name}}`
  }
}
