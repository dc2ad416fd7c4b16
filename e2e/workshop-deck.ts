import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type OtherDeck, otherDeck } from './deck.ts'

/** A small deck with fast checks. */
const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: A small workshop
favicon: 'data:,'
understudy: { cols: 80, rows: 14 }
fonts: { provider: none }
layout: stage
---

# Overview

\`\`\`sh {step=greet}
bash greet.sh
\`\`\`

<!--
Notes of the first slide.
-->

---
task: greeting
---

# Say something else

<!--
The program prints a greeting. Its text is in one file.
-->

---
task: count
---

# Count further

<!-- Notes of the third slide. -->

---
task: names
---

# Names

<!-- Notes of the fourth slide. -->

---
task: locked
---

# The last one
`

const files: Record<string, string> = {
  'nix/greet.sh': 'echo "Good morning"\n',
  'nix/count.sh': 'seq 3\n',
  'nix/people/names.txt': 'Ada\n',
}

interface TaskSource {
  title: string
  depends?: string[]
  files: string[]
  text: string
  setup?: string
  check: string
  solve: string
}

const tasks: Record<string, TaskSource> = {
  greeting: {
    title: 'Say good evening',
    files: ['greet.sh'],
    text: 'Make `greet.sh` print **Good evening**, and run it:\n\n```sh\nbash greet.sh\n```',
    check:
      'output=$(bash greet.sh 2>&1) || { echo "FAIL: greet.sh exits with an error: $output"; exit 1; }\necho "LOOK: greet.sh prints: $output"\n[[ $output == "Good evening" ]] || { echo "FAIL: greet.sh does not print Good evening"; exit 1; }\necho "OK: greet.sh prints Good evening"',
    solve: 'echo "echo Good evening" > greet.sh',
  },
  count: {
    title: 'Count to five',
    files: ['count.sh'],
    text: '`count.sh` counts to three. Make it count to five.',
    setup: 'echo "seq 2" > count.sh\necho "count.sh now counts to two"',
    check:
      '[[ $(bash count.sh | wc -l) == 5 ]] || { echo "FAIL: count.sh counts to $(bash count.sh | wc -l)"; exit 1; }\necho "OK: count.sh counts to five"',
    solve: 'sed -i "s/[0-9]/5/" count.sh',
  },
  names: {
    title: 'Add a name',
    files: ['people/names.txt'],
    text: 'Add **Grace** to `names.txt`.',
    check: 'grep -q Grace people/names.txt || { echo "FAIL: names.txt does not contain Grace"; exit 1; }',
    solve: 'echo Grace >> people/names.txt',
  },
  locked: {
    title: 'After all others',
    depends: ['names'],
    files: [],
    text: 'This task has nothing to do.',
    check: 'exit 0',
    solve: 'true',
  },
}

/** Creates a small deck with a flake and tasks. */
export async function workshopDeck(): Promise<OtherDeck> {
  const deck = await otherDeck(slides)
  const write = async (path: string, text: string) => {
    const file = join(dirname(deck.file), path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  for (const [path, text] of Object.entries(files)) await write(path, text)
  for (const [id, { title, depends = [], files, text, setup = 'true', check, solve }] of Object.entries(tasks)) {
    await write(
      `tasks/${id}/task.md`,
      `---\ntitle: ${title}\nteaches: The learner page.\ndepends: [${depends.join(', ')}]\nfiles: [${files.join(', ')}]\n---\n\n${text}\n`,
    )
    for (const [script, content] of Object.entries({ setup, check, solve }))
      await write(`tasks/${id}/${script}`, `${content}\n`)
    for (const number of [1, 2]) await write(`tasks/${id}/hints/${number}.md`, `Hint ${number} for \`${id}\`.\n`)
  }
  return deck
}
