import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WrittenDeck } from '../test/written-deck.ts'

let deck: WrittenDeck
beforeEach(async () => {
  deck = await WrittenDeck.create()
})
afterEach(() => deck.remove())

const step = (id: string, command = `echo ${id}`) => `\`\`\`sh {step=${id}}\n${command}\n\`\`\``
const stage = (steps: string, ...fences: string[]) => `---\nlayout: stage\n${steps}---\n\n${fences.join('\n\n')}\n`

describe('a snippet is a step', () => {
  test('whose command is the file', async () => {
    const { steps, files } = await deck.read('# One\n\n<<< @/run.sh sh {step=f}\n', {
      'run.sh': 'echo one\necho two\n',
    })
    expect(steps.get('f')).toMatchObject({ command: 'echo one\necho two', place: { file: 'slides.md', line: 3 } })
    expect(files.map((file) => file.slice(deck.folder.length + 1))).toEqual(['slides.md', 'run.sh'])
  })

  test('relative to the file of the slide, with the language of the file name', async () => {
    const files = { 'pages/a.md': '# A\n\n<<< ./run.sh {step=f}\n', 'pages/run.sh': 'echo hi\r\necho there\r\n' }
    expect(await deck.commands('---\nsrc: ./pages/a.md\n---\n', files)).toEqual({ f: 'echo hi\necho there' })
  })

  test('whose command is a region of the file', async () => {
    const script = '#!/bin/sh\nset -e\nif true; then\n  # #region build\n  make \\\n    all\n  # #endregion build\nfi\n'
    expect(await deck.commands('# A\n\n<<< @/run.sh#build sh {step=f}\n', { 'run.sh': script })).toEqual({
      f: 'make \\\n  all',
    })
  })

  test('in a list', async () => {
    expect(await deck.commands('- <<< @/run.sh sh {step=f}\n', { 'run.sh': 'ls\n' })).toEqual({ f: 'ls' })
  })

  test('and another version of the deck after an edit', async () => {
    const text = '# One\n\n<<< @/run.sh sh {step=f}\n'
    const before = await deck.read(text, { 'run.sh': 'echo one\n' })
    expect((await deck.read(text, { 'run.sh': 'echo two\n' })).version).not.toBe(before.version)
  })
})

describe('a snippet that shows nothing is an error', () => {
  test.each([
    ['@/none.sh sh', '"@/none.sh": file not found. The path is relative to this file; @/ is the folder of the deck'],
    ['../../etc/passwd', '"../../etc/passwd": it is outside the project'],
  ])('<<< %s', async (snippet, message) => {
    expect(await deck.errors(`# One\n\n<<< ${snippet}\n`)).toEqual([`slides.md:3 (slide 1): cannot show ${message}`])
  })

  test('a step whose region does not exist', async () => {
    const errors = await deck.errors('# One\n\n<<< @/run.sh#build sh {step=f}\n', { 'run.sh': 'rm -rf x\n' })
    expect(errors[0]).toMatch(/^slides\.md:3 \(slide 1\): "@\/run\.sh#build": there is no such region/)
  })
})

describe('the contract of an imported step', () => {
  const part = `---\nsteps:\n  p: { timeout: 9s, expect: { output: hi } }\n---\n\n${step('p')}\n`

  test('is that of its page, with the keys of its importer', async () => {
    const { steps } = await deck.read('---\nsrc: ./part.md\nsteps: { p: { timeout: 3s } }\n---\n', { 'part.md': part })
    expect(steps.get('p')?.contract).toMatchObject({ timeout: 3, expect: { output: 'hi' } })
  })

  test('has the keys of the outermost importer', async () => {
    const { steps } = await deck.read('---\nsrc: ./outer.md\nsteps: { p: { timeout: 1s } }\n---\n', {
      'outer.md': '---\nsrc: ./part.md\nsteps: { p: { timeout: 2s, verify: test -e x } }\n---\n',
      'part.md': part,
    })
    expect(steps.get('p')?.contract).toMatchObject({ timeout: 1, verify: 'test -e x', expect: { output: 'hi' } })
  })

  test('is reported in the file that has the mistake', async () => {
    const files = { 'part.md': part }
    expect(await deck.errors('---\nsrc: ./part.md\nsteps: { p: { timeout: soon } }\n---\n', files)).toEqual([
      'slides.md:3 (slide 1): steps.p.timeout: Invalid duration "soon": use 90s, 2m or 1:30',
    ])
    expect(await deck.errors('---\nsrc: ./part.md\n---\n', { 'part.md': part.replace('9s', 'soon') })).toEqual([
      'part.md:3 (slide 1): steps.p.timeout: Invalid duration "soon": use 90s, 2m or 1:30',
    ])
  })

  test('may be declared by an importer of several slides', async () => {
    const { steps } = await deck.read('---\nsrc: ./part.md\nsteps: { b: { timeout: 3s } }\n---\n', {
      'part.md': `${step('a')}\n\n---\n\n${step('b')}\n`,
    })
    expect(steps.get('b')?.contract.timeout).toBe(3)
  })

  test('is an error if no imported slide has the step', async () => {
    expect(await deck.errors('---\nsrc: ./part.md\nsteps: { gone: {} }\n---\n', { 'part.md': part })).toEqual([
      'slides.md:3: "steps.gone" has no step on this slide: add a fence ```sh {step=gone}, or remove the contract',
    ])
  })
})

describe('a file that is imported twice', () => {
  const twice = '---\nsrc: ./part.md#2\n---\n\n---\n\n# Between\n\n---\nsrc: ./part.md#2\n---\n'

  test('has each step once, on both slides', async () => {
    const { steps, slides } = await deck.read(twice, { 'part.md': `# A\n\n---\n\n${step('p')}\n` })
    expect([...steps.values()].map(({ id, slide, slides }) => ({ id, slide, slides }))).toEqual([
      { id: 'p', slide: 1, slides: [1, 3] },
    ])
    expect(slides.map(({ steps }) => steps.map(({ id }) => id))).toEqual([['p'], [], ['p']])
  })

  test('has each error once', async () => {
    expect(await deck.errors(twice, { 'part.md': `# A\n\n---\n\n${step('p', '# nothing')}\n` })).toHaveLength(1)
  })

  test('is an error if its importers declare different contracts', async () => {
    const text = '---\nsrc: ./part.md\n---\n\n---\nsrc: ./part.md\nsteps: { p: { timeout: 3s } }\n---\n'
    expect(await deck.errors(text, { 'part.md': `${step('p')}\n` })).toEqual([
      'part.md:1 (slide 2): step "p" has another contract here than at part.md:1 (slide 1): give both importers the same "steps"',
    ])
  })
})

describe('inputs', () => {
  const input = (name: string) => `steps: { a: { inputs: { ${name}: { label: Host } } } }\n`

  test.each([
    "docker ps --format '{{.Names}}'",
    "kubectl get po -o go-template='{{range .items}}{{end}}'",
    'echo {{name}}',
  ])('braces without a declared input belong to the command: %s', async (command) => {
    expect(await deck.commands(stage('', step('a', command)))).toEqual({ a: command })
    expect(await deck.warnings(stage('', step('a', command)))).toEqual([])
  })

  test('an input that the command does not use is an error', async () => {
    expect(await deck.errors(stage(input('host'), step('a', "docker ps --format '{{.Host}}'")))).toEqual([
      'slides.md:6 (slide 1): the command of step "a" does not use the input "host": add {{host}}, or remove the input',
    ])
  })

  test.each(['hots', 'Host', 'hosts'])('{{%s}}, similar to a declared input, is a warning', async (written) => {
    expect(await deck.warnings(stage(input('host'), step('a', `ping {{host}} {{${written}}}`)))).toEqual([
      `slides.md:6 (slide 1): {{${written}}} is typed as it is, because step "a" has no such input. Did you mean {{host}}?`,
    ])
  })

  test.each(['.Names', 'range .items', 'image', '.host'])(
    '{{%s}} beside a declared input causes no warning',
    async (text) => {
      expect(await deck.warnings(stage(input('host'), step('a', `ping {{host}} {{${text}}}`)))).toEqual([])
    },
  )
})

describe('a dependency that can never be met is an error', () => {
  const depends = (id: string, ...on: string[]) => `  ${id}: { depends: [${on.join(', ')}] }\n`

  test('an unknown step', async () => {
    expect(await deck.errors(stage(`steps:\n${depends('run', 'biuld')}`, step('build'), step('run')))).toEqual([
      'slides.md:11 (slide 1): step "run" depends on "biuld", which does not exist. Did you mean "build"?',
    ])
  })

  test('a cycle', async () => {
    const text = stage(
      `steps:\n${depends('a', 'b')}${depends('b', 'c')}${depends('c', 'a')}`,
      step('a'),
      step('b'),
      step('c'),
    )
    expect(await deck.errors(text)).toEqual(['slides.md:9 (slide 1): steps depend on each other: a → b → c → a'])
  })

  test('the step itself', async () => {
    expect(await deck.errors(stage(`steps:\n${depends('a', 'a')}`, step('a')))).toEqual([
      'slides.md:7 (slide 1): steps depend on each other: a → a',
    ])
  })

  test('a later step', async () => {
    expect(await deck.errors(stage(`steps:\n${depends('a', 'b')}`, step('a'), step('b')))).toEqual([
      'slides.md:7 (slide 1): step "a" depends on "b", which comes after it (slides.md:11 (slide 1)): swap them',
    ])
  })

  test.each(['hide', 'disabled'])('a step on a slide with %s: true', async (key) => {
    const text = `---\n${key}: true\n---\n\n${step('a')}\n\n---\nlayout: stage\nsteps:\n${depends('b', 'a')}---\n\n${step('b')}\n`
    expect(await deck.errors(text)).toEqual([
      'slides.md:15 (slide 1): step "b" depends on "a", whose slide is hidden (slides.md:1)',
    ])
  })

  test('a step outside the imported range', async () => {
    const text = `---\nsrc: ./part.md#2\n---\n`
    const part = `${step('a')}\n\n---\nlayout: stage\nsteps:\n${depends('b', 'a')}---\n\n${step('b')}\n`
    expect(await deck.errors(text, { 'part.md': part })).toEqual([
      'part.md:11 (slide 1): step "b" depends on "a", whose slide is hidden (part.md:1)',
    ])
  })
})

describe('a warning names the line of', () => {
  const suspicious = (rest: string) => `slides.md:7 (slide 1): the command of step "a" contains ${rest}`

  test.each([
    ['echo\u00a0hi', 'a no-break space (U+00A0): the shell does not treat it as a space'],
    ['echo\u200b hi', 'a zero-width space (U+200B): the shell does not treat it as a space'],
    ['echo “hi”', 'the curly quote “ (U+201C): the shell does not treat it as a quote'],
    ['ls –la', 'the dash – (U+2013): options begin with "-"'],
  ])('%j', async (command, message) => {
    expect(await deck.warnings(stage('', step('a', `cd .\n${command}`)))).toEqual([
      suspicious(message).replace(':7', ':7'),
    ])
  })

  test('a prompt in a fence that is not a transcript', async () => {
    expect(await deck.warnings(stage('', step('a', '$ echo hi')))).toEqual([
      'slides.md:6 (slide 1): the command of step "a" contains the prompt "$", which is typed too: remove it, or write ```console',
    ])
  })

  test('a snippet, in its file', async () => {
    const files = { 'run.sh': '#!/bin/sh\necho hi\necho\u00a0hi\n' }
    expect(await deck.warnings(stage('', '<<< @/run.sh sh {step=a}'), files)).toEqual([
      'run.sh:3 (slide 1): the command of step "a" contains a no-break space (U+00A0): the shell does not treat it as a space',
    ])
  })
})

test.each(['echo "it’s"', "echo 'a – b' # don’t", 'echo "👩‍💻"', '# “a comment”\nls'])(
  'typographic characters in quotes and comments cause no warning: %s',
  async (command) => {
    expect(await deck.warnings(stage('', step('a', command)))).toEqual([])
  },
)

test('a transcript has the commands of its prompts, without their output', async () => {
  const transcript = '```console {step=a}\n$ echo hi \\\n>   there\nhi there\n```'
  expect(await deck.commands(stage('', transcript))).toEqual({ a: 'echo hi \\\n  there' })
})

describe('terminals', () => {
  const hidden = (line: number, id: string, terminal = id) =>
    `slides.md:${line} (slide 1): the output of step "${id}" is not visible: add <Terminal name="${terminal}" />, or use the layout "stage"`

  test('a step on a slide without a terminal is a warning', async () => {
    expect(await deck.warnings(`# One\n\n${step('a')}\n`)).toEqual([hidden(3, 'a')])
  })

  test.each(['stage', 'understudy-stage'])('the layout %s shows all terminals', async (layout) => {
    const text = `---\nlayout: ${layout}\n---\n\n${step('a')}\n\n\`\`\`sh {step=b terminal=x}\nls\n\`\`\`\n`
    expect(await deck.warnings(text)).toEqual([])
  })

  test.each([
    '<Terminal name="a" />',
    "<UnderstudyTerminal name='a'/>",
    '<terminal name=a />',
    '<Terminal />',
    "<Terminal :name=\"$clicks > 1 ? 'a' : 'b'\" />",
    '<div class="h-60">\n  <Terminal\n    name="a"\n  />\n</div>',
    'Text <Terminal name="a" /> text',
  ])('a step is visible in %s', async (tag) => {
    expect(await deck.warnings(`# One\n\n${step('a')}\n\n${tag}\n`)).toEqual([])
  })

  test('the terminal of another step is a warning', async () => {
    const text = `# One\n\n${step('a')}\n\n\`\`\`sh {step=b terminal=x}\nls\n\`\`\`\n\n<Terminal name="a" />\n`
    expect(await deck.warnings(text)).toEqual([hidden(7, 'b', 'x')])
  })

  test('a terminal that no step uses is an error', async () => {
    const text = `# One\n\n\`\`\`sh {step=a terminal=left}\nls\n\`\`\`\n\n<Terminal name="left"/>\n\n<Terminal name="right"/>\n`
    expect(await deck.errors(text)).toEqual([
      'slides.md:9 (slide 1): no step uses a terminal "right". Terminals of this deck: left',
    ])
  })

  test('tags in comments and code are ignored', async () => {
    const text = `# One\n\n${step('a')}\n\n<Terminal />\n\n<!-- <Terminal name="x"/> -->\n\n\`\`\`html\n<Terminal name="y"/>\n\`\`\`\n\n\`<Terminal name="z"/>\`\n`
    expect(await deck.warnings(text)).toEqual([])
  })

  test('a layout of the deck that contains a terminal shows it', async () => {
    const text = `---\nlayout: mine\n---\n\n${step('a')}\n`
    const layout = (template: string) => ({ 'layouts/mine.vue': `<template>${template}</template>\n` })
    expect(await deck.warnings(text, layout('<slot /><Terminal />'))).toEqual([])
    expect(await deck.warnings(text, layout('<slot />'))).toEqual([hidden(5, 'a')])
  })
})

test('the same error on two slides is reported for both', async () => {
  const errors = await deck.errors(`${step('A!')}\n\n---\n\n${step('A!')}\n`)
  expect(errors.map((error) => error.split(':', 2).join(':'))).toEqual([
    'slides.md:1 (slide 1)',
    'slides.md:7 (slide 2)',
  ])
})
