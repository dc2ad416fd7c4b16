import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type OtherDeck, otherDeck } from './deck.ts'

/** A small talk with tasks that take no time: what the learner's page does with them is the same as with those of the large one. */
const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: A small workshop
favicon: 'data:,'
understudy: { cols: 80, rows: 14 }
fonts: { provider: none }
layout: stage
---

# What there is

\`\`\`sh {step=greet}
bash greet.sh
\`\`\`

<!--
The first slide is only looked at.
-->

---
task: greeting
---

# Say something else

<!--
The program greets. Its text stands in one file.
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

interface Source {
  title: string
  depends?: string[]
  files: string[]
  text: string
  setup?: string
  check: string
  solve: string
}

const tasks: Record<string, Source> = {
  greeting: {
    title: 'Say good evening',
    files: ['greet.sh'],
    text: 'Make `greet.sh` say **Good evening**, and run it:\n\n```sh\nbash greet.sh\n```',
    check:
      'said=$(bash greet.sh 2>&1) || { echo "FAIL: greet.sh ends with an error: $said"; exit 1; }\necho "LOOK: what greet.sh says: $said"\n[[ $said == "Good evening" ]] || { echo "FAIL: it does not say Good evening"; exit 1; }\necho "OK: it says Good evening"',
    solve: 'echo "echo Good evening" > greet.sh',
  },
  count: {
    title: 'Count to five',
    files: ['count.sh'],
    text: 'It counts to three. Make it five.',
    setup: 'echo "seq 2" > count.sh\necho "count.sh counts to two now"',
    check:
      '[[ $(bash count.sh | wc -l) == 5 ]] || { echo "FAIL: it counts to $(bash count.sh | wc -l)"; exit 1; }\necho "OK: it counts to five"',
    solve: 'sed -i "s/[0-9]/5/" count.sh',
  },
  names: {
    title: 'Add a name',
    files: ['people/names.txt'],
    text: 'Add **Grace** to the names.',
    check: 'grep -q Grace people/names.txt || { echo "FAIL: Grace is not among the names"; exit 1; }',
    solve: 'echo Grace >> people/names.txt',
  },
  locked: {
    title: 'After all others',
    depends: ['names'],
    files: [],
    text: 'Nothing is to be done.',
    check: 'exit 0',
    solve: 'true',
  },
}

/** Makes the deck with its flake and its tasks. */
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
      `---\ntitle: ${title}\nteaches: How the page works.\ndepends: [${depends.join(', ')}]\nfiles: [${files.join(', ')}]\n---\n\n${text}\n`,
    )
    for (const [script, content] of Object.entries({ setup, check, solve }))
      await write(`tasks/${id}/${script}`, `${content}\n`)
    for (const number of [1, 2]) await write(`tasks/${id}/hints/${number}.md`, `The hint ${number} of \`${id}\`.\n`)
  }
  return deck
}
