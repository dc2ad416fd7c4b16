/** The changed lines of one file and their context, before and after the patch. */
export interface FileChange {
  path: string
  kind: 'changed' | 'added' | 'removed' | 'renamed' | 'binary'
  before: string
  after: string
}

/** Line between the hunks of a file: a comment in Nix, shell and Python, to keep the syntax highlighting correct. */
const GAP = '# ⋯'

/** Parses the output of `git diff` (git-scm.com/docs/diff-format#generate_patch_text_with_p). */
export function parsePatch(patch: string): FileChange[] {
  return patch
    .split(/^(?=diff --git )/m)
    .filter((part) => part.startsWith('diff --git '))
    .map(parseFile)
}

function parseFile(part: string): FileChange {
  const lines = part.replace(/\n$/, '').split('\n')
  const firstHunk = lines.findIndex((line) => line.startsWith('@@'))
  const header = firstHunk < 0 ? lines : lines.slice(0, firstHunk)
  const before: string[] = []
  const after: string[] = []
  for (const [index, line] of (firstHunk < 0 ? [] : lines.slice(firstHunk)).entries()) {
    const text = line.slice(1)
    if (line.startsWith('@@')) {
      if (index > 0) for (const side of [before, after]) side.push(GAP)
    } else if (line.startsWith('-')) before.push(text)
    else if (line.startsWith('+')) after.push(text)
    // A line with a backslash means that the previous line has no line break.
    else if (!line.startsWith('\\')) for (const side of [before, after]) side.push(text)
  }
  return { path: pathOf(header), kind: kindOf(header), before: before.join('\n'), after: after.join('\n') }
}

function pathOf(header: string[]): string {
  const match = (prefix: RegExp) =>
    header.map((line) => prefix.exec(line)?.[1]).find((path) => path !== undefined && path !== '/dev/null')
  const path =
    match(/^\+\+\+ "?(?:b\/)?(.*?)"?\t?$/) ??
    match(/^--- "?(?:a\/)?(.*?)"?\t?$/) ??
    match(/^rename to (.*)$/) ??
    match(/^diff --git "?a\/.* "?b\/(.*?)"?$/)
  return path ?? '?'
}

function kindOf(header: string[]): FileChange['kind'] {
  const has = (prefix: string) => header.some((line) => line.startsWith(prefix))
  if (has('Binary files') || has('GIT binary patch')) return 'binary'
  if (has('new file')) return 'added'
  if (has('deleted file')) return 'removed'
  return has('rename to') ? 'renamed' : 'changed'
}
