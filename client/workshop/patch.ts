/** What a patch changes in one file: the lines around its changes, on both sides. */
export interface FileChange {
  path: string
  kind: 'changed' | 'added' | 'removed' | 'renamed' | 'binary'
  before: string
  after: string
}

/** Stands between two places of a file: a comment in Nix, shell and Python, so that the colours of what follows are right. */
const GAP = '# ⋯'

/**
 * Takes apart a patch as `git diff` writes it (git-scm.com/docs/diff-format#generate_patch_text_with_p).
 */
export function parsePatch(patch: string): FileChange[] {
  return patch
    .split(/^(?=diff --git )/m)
    .filter((part) => part.startsWith('diff --git '))
    .map(fileOf)
}

function fileOf(part: string): FileChange {
  const lines = part.replace(/\n$/, '').split('\n')
  const first = lines.findIndex((line) => line.startsWith('@@'))
  const head = first < 0 ? lines : lines.slice(0, first)
  const before: string[] = []
  const after: string[] = []
  for (const [at, line] of (first < 0 ? [] : lines.slice(first)).entries()) {
    const text = line.slice(1)
    if (line.startsWith('@@')) {
      if (at > 0) for (const side of [before, after]) side.push(GAP)
    } else if (line.startsWith('-')) before.push(text)
    else if (line.startsWith('+')) after.push(text)
    // A backslash says of the line before that it has no end.
    else if (!line.startsWith('\\')) for (const side of [before, after]) side.push(text)
  }
  return { path: pathOf(head), kind: kindOf(head), before: before.join('\n'), after: after.join('\n') }
}

function pathOf(head: string[]): string {
  const named = (prefix: RegExp) =>
    head.map((line) => prefix.exec(line)?.[1]).find((path) => path !== undefined && path !== '/dev/null')
  const path =
    named(/^\+\+\+ "?(?:b\/)?(.*?)"?\t?$/) ??
    named(/^--- "?(?:a\/)?(.*?)"?\t?$/) ??
    named(/^rename to (.*)$/) ??
    named(/^diff --git "?a\/.* "?b\/(.*?)"?$/)
  return path ?? '?'
}

function kindOf(head: string[]): FileChange['kind'] {
  const has = (word: string) => head.some((line) => line.startsWith(word))
  if (has('Binary files') || has('GIT binary patch')) return 'binary'
  if (has('new file')) return 'added'
  if (has('deleted file')) return 'removed'
  return has('rename to') ? 'renamed' : 'changed'
}
