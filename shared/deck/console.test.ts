import { describe, expect, test } from 'vitest'
import { commandsOfTranscript } from './console.ts'

describe('commandsOfTranscript', () => {
  test.each([
    ['one command and its output', '$ echo hi\nhi', 'echo hi'],
    ['several commands', '$ cd /tmp\n$ ls\na  b\n$ pwd\n/tmp', 'cd /tmp\nls\npwd'],
    ['a command without output', '$ true', 'true'],
    ['an empty prompt at the end', '$ ls\na\n$', 'ls\n'],
    ['a continued line', '$ ls \\\n  -l\na', 'ls \\\n  -l'],
    ['a continued line with a prompt', '$ ls \\\n> -l\na', 'ls \\\n-l'],
    ['an open quote', "$ echo 'a\n> b'\na\nb", "echo 'a\nb'"],
    ['a here-document', '$ cat <<X\n> one\n> X\none', 'cat <<X\none\nX'],
    ['a here-document without prompts', '$ cat <<X\none\nX\none', 'cat <<X\none\nX'],
    ['a loop', '$ for i in 1 2; do\n>   echo $i\n> done\n1\n2', 'for i in 1 2; do\n  echo $i\ndone'],
    ['a pipe', '$ ls |\n> wc -l\n3', 'ls |\nwc -l'],
    ['output with a > at its beginning', '$ diff a b\n1c1\n< x\n---\n> y', 'diff a b'],
    ['output with a > right after the command', '$ npm run build\n> vite build', 'npm run build'],
  ])('extracts %s', (_, transcript, commands) => {
    expect(commandsOfTranscript(transcript)).toBe(commands)
  })

  test('returns a text without prompts unchanged', () => {
    expect(commandsOfTranscript('echo $HOME\n$(date)')).toBe('echo $HOME\n$(date)')
  })
})
