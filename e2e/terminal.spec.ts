import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect as baseExpect, type Page } from '@playwright/test'
import xterm from '@xterm/headless'
import type { Terminal } from '@xterm/xterm'
import unicode11 from '@xterm/addon-unicode11'
import * as pty from 'node-pty'
import { testsOf } from './deck.ts'
import { terminal } from './talk.ts'

/** The terminal in the browser, with real programs. */

const GRID = { cols: 80, rows: 20 } as const

const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: A terminal
understudy: { cols: ${GRID.cols}, rows: ${GRID.rows} }
fonts: { provider: none }
layout: stage
---

# A terminal

\`\`\`sh {step=any terminal=one}
true
\`\`\`
`

/** Output of every kind: colors, styles, widths, links, tabs, a scroll region, wrapped lines. */
const corpus = [
  '\x1b[38;2;255;120;0morange\x1b[0m \x1b[48;2;0;64;128;97mon blue\x1b[0m',
  Array.from({ length: 256 }, (_, color) => `\x1b[38;5;${color}m▒`).join('') + '\x1b[0m',
  '\x1b[1mbold\x1b[0m \x1b[2mdim\x1b[0m \x1b[3mitalic\x1b[0m \x1b[4:3;58;5;1mcurly\x1b[0m \x1b[7minverse\x1b[0m \x1b[8mhidden\x1b[0m \x1b[9mstruck\x1b[0m \x1b[53mover\x1b[0m',
  '漢字かな交じり文 한국어 ｆｕｌｌ wide|',
  '🦀🚀🎉😀|e\u0301|n\u0303|👩‍🚀|🇩🇪|❤️|⏳|',
  '┌─┬─┐│█▓▒░ ⠿ ',
  '\x1b]8;;http://localhost/linked\x07a link\x1b]8;;\x07',
  'a\tb\tc\x1b[3Dx',
  '漢'.repeat(100),
  'long '.repeat(100),
  '\x1b[5;10r\x1b[5;1Hregion\x1b[10;1H\n\n\nbottom\x1b[r\x1b[20;1H',
].join('\r\n')

/** A short timeout, because all operations in this file are fast. */
const expect = baseExpect.configure({ timeout: 8000 })

let folder: string
const test = testsOf(slides).extend<{ stage: Page }>({
  /** A window with a fresh shell at its prompt, and the focus in the terminal. */
  stage: async ({ page, talk }, use) => {
    await page.goto(talk.link)
    await expect(one(page)).toHaveAttribute('data-state', 'prompt')
    // The state "ended" is too short to be polled.
    const ended = one(page).evaluate(
      (box) =>
        new Promise<void>((resolve) =>
          new MutationObserver(() => box.dataset.state === 'ended' && resolve()).observe(box, { attributes: true }),
        ),
    )
    await page.getByRole('button', { name: 'Restart shell of any' }).click()
    await ended
    await expect(one(page)).toHaveAttribute('data-state', 'prompt')
    await one(page).locator('.xterm').click()
    await use(page)
  },
})
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-terminal-'))
})
test.afterAll(() => rmSync(folder, { recursive: true }))

const one = (page: Page) => terminal(page, 'one')

/** Types a command line. */
async function enter(page: Page, line: string) {
  await page.keyboard.type(`${line}\n`)
}

/** The visible lines of a window's terminal. */
function lines(page: Page): Promise<string[]> {
  return one(page).evaluate((box) => {
    const { buffer, rows } = (box as HTMLElement & { terminal: Terminal }).terminal
    return Array.from(
      { length: rows },
      (_, row) => buffer.active.getLine(buffer.active.viewportY + row)?.translateToString(true) ?? '',
    )
  })
}
const text = async (page: Page) => (await lines(page)).join('\n')

/** The full state of a window's terminal: each cell with its attributes, the cursor, the modes. */
function fullState(page: Page): Promise<{ lines: string[]; rest: unknown }> {
  return one(page).evaluate((box) => {
    const { buffer, modes } = (box as HTMLElement & { terminal: Terminal }).terminal
    const { active } = buffer
    const cell = active.getNullCell()
    const lines: string[] = []
    for (let row = 0; row < active.length; row++) {
      const line = active.getLine(row)
      // The line that the first line continues is no longer in the scrollback.
      let text = row > 0 && line?.isWrapped ? '>' : ''
      let style = ''
      for (let at = 0; line?.getCell(at, cell); at++) {
        const flags = [
          cell.isBold(),
          cell.isDim(),
          cell.isItalic(),
          cell.isUnderline(),
          cell.isInverse(),
          cell.isInvisible(),
          cell.isStrikethrough(),
          cell.isOverline(),
          cell.isBlink(),
        ]
        // The first 16 of the 256 colors are the basic 16 colors, and a snapshot encodes them as basic colors.
        const colors = [
          cell.isFgDefault() || (cell.isFgRGB() ? 'rgb' : 'palette'),
          cell.getFgColor(),
          cell.isBgDefault() || (cell.isBgRGB() ? 'rgb' : 'palette'),
          cell.getBgColor(),
        ]
        const now = `${colors.join('/')}/${flags.map(Number).join('')}`
        text += `${now === style ? '' : `{${now}}`}${cell.getWidth()}${cell.getChars() || ' '}`
        style = now
      }
      lines.push(text)
    }
    return {
      lines,
      rest: {
        modes: { ...modes },
        type: active.type,
        cursor: [active.cursorX, active.cursorY + active.baseY],
        length: active.length,
      },
    }
  })
}

async function expectSameState(live: Page, late: Page) {
  // Both windows may have undrawn output.
  await expect(async () => expect(await text(late)).toBe(await text(live))).toPass()
  const [a, b] = [await fullState(live), await fullState(late)]
  expect(b.rest).toEqual(a.rest)
  const different = a.lines.flatMap((line, row) =>
    line === b.lines[row] ? [] : [{ row, live: line, late: b.lines[row] }],
  )
  expect(different.slice(0, 3)).toEqual([])
}

test('a window that joins late has the same buffer as a live window: colors, styles, wide characters, scrollback, alternate screen', async ({
  stage,
  context,
  talk,
}) => {
  const file = join(folder, 'corpus')
  writeFileSync(
    file,
    `${Array.from({ length: 10_500 }, (_, at) => `\x1b[3${at % 8}mline ${at}\x1b[0m 漢 🎉`).join('\r\n')}\r\n${corpus}\r\nEND\r\n`,
  )
  await enter(stage, `cat ${file}`)
  await expect.poll(() => text(stage)).toContain('END')
  const late = await context.newPage()
  await late.goto(talk.link)
  await expectSameState(stage, late)
  expect((await fullState(late)).rest).toMatchObject({ length: 10_000 + GRID.rows })

  await stage.bringToFront()
  await enter(stage, `printf '\\e[?1049h\\e[?1000;1006h\\e[?2004h'; cat ${file}; read`)
  await expect.poll(() => text(stage)).toContain('END')
  const later = await context.newPage()
  await later.goto(talk.link)
  await expectSameState(stage, later)
  expect((await fullState(later)).rest).toMatchObject({
    type: 'alternate',
    modes: { mouseTrackingMode: 'vt200', bracketedPasteMode: true },
  })
  await stage.bringToFront()
  await enter(stage, `printf '\\e[?1049l\\e[?1000;1006l'`)
  await expectSameState(stage, later)
})

test('a jump within 10,000 lines of scrollback takes less than 80 ms', async ({ stage }) => {
  await enter(stage, 'seq 12000')
  await expect.poll(() => text(stage)).toMatch(/^12000$/m)
  const times = await one(stage).evaluate(async (box) => {
    const { terminal } = box as HTMLElement & { terminal: Terminal }
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    const times: number[] = []
    for (let jump = 0; jump < 30; jump++) {
      const before = performance.now()
      terminal.scrollToLine((jump * 7919) % 10_000)
      await frame()
      times.push(performance.now() - before)
    }
    terminal.scrollToTop()
    return times.sort((a, b) => a - b)
  })
  expect(times[15]).toBeLessThan(80)
  expect((await lines(stage))[0]).toMatch(/^19\d\d$/)
})

/** A program in its own pseudo-terminal: the reference for the screen in the browser. */
class Reference {
  private readonly screen = new xterm.Terminal({ ...GRID, allowProposedApi: true })
  private readonly shell: pty.IPty
  constructor(command: string) {
    this.screen.loadAddon(new unicode11.Unicode11Addon())
    this.screen.unicode.activeVersion = '11'
    this.shell = pty.spawn('bash', ['-c', command], {
      ...GRID,
      name: 'xterm-256color',
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        LANG: 'C.UTF-8',
        TERM: 'xterm-256color',
        COLORTERM: 'truecolor',
      },
    })
    this.shell.onData((data) => this.screen.write(data))
    this.screen.onData((response) => this.shell.write(response))
  }
  type(keys: string) {
    this.shell.write(keys)
  }
  lines(): string[] {
    const { active } = this.screen.buffer
    return Array.from(
      { length: GRID.rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '',
    )
  }
  end() {
    this.shell.kill('SIGKILL')
    this.screen.dispose()
  }
}

const isInstalled = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

interface Program {
  /** @param run name of the run (reference or stage), for separate files of the program */
  command: (run: string) => string
  /** Text on the screen before `keys`. */
  before: RegExp
  keys: string
  /** Text on the screen after `keys`. */
  after: RegExp
  /** Selects the lines that do not change over time. */
  stable?: (lines: string[]) => string[]
  quit: string | ((run: string) => void)
}

const tmuxServer = (run: string) => `understudy-${process.pid}-${run}`
const sample = Array.from(
  { length: 300 },
  (_, at) => `${at + 1} ${at === 199 ? 'needle 漢字 🎉' : '\tsome text'} ─ ünïcödé`,
).join('\n')
const programs: Record<string, Program> = {
  vim: {
    command: () => `vim -u NONE -N -i NONE -n --cmd 'set ruler hlsearch nofsync' ${folder}/document`,
    before: /1,1\s+Top/,
    keys: '/needle\rcwthread 漢\x1b:set number\r',
    after: /200 thread 漢 漢字/,
    quit: ':q!\r',
  },
  less: {
    command: () => `LESS= LESSHISTFILE=- less -N ${folder}/document`,
    before: /^\s+1 1/,
    keys: 'G?needle\r',
    after: /200 needle/,
    quit: 'q',
  },
  tmux: {
    command: (run) =>
      `tmux -L ${tmuxServer(run)} -f /dev/null new "cat ${folder}/document; exec sleep 600" \\; set status off \\; split-window -h "head -5 ${folder}/document; exec sleep 600"`,
    before: /5\s+some text/,
    keys: '\x02"',
    after: /─{20}/,
    // The new pane runs the user's own shell.
    stable: (lines) => lines.slice(0, 9),
    quit: (run) => void spawnSync('tmux', ['-L', tmuxServer(run), 'kill-server']),
  },
  htop: {
    command: (run) => `HTOPRC=${folder}/htoprc-${run} htop -d 100`,
    before: /F10\s*Quit/,
    keys: '\x1bOP',
    after: /F1 h \?: show this help|htop 3/,
    stable: (lines) => lines.filter((line) => line.includes('F1')),
    quit: ' q',
  },
}

for (const [name, { command, before, keys, after, stable = (all: string[]) => all, quit }] of Object.entries(programs))
  test(`${name} shows the same screen as in a native terminal`, async ({ stage }) => {
    test.skip(!isInstalled(name), `needs ${name}`)
    writeFileSync(join(folder, 'document'), sample)
    const reference = new Reference(command('reference'))
    try {
      await enter(stage, command('stage'))
      await expect.poll(() => text(stage)).toMatch(before)
      await expect.poll(() => reference.lines().join('\n')).toMatch(before)
      reference.type(keys)
      // Sends the keys to the terminal, because the keyboard cannot send escape sequences.
      await one(stage).evaluate((box, data) => (box as HTMLElement & { terminal: Terminal }).terminal.input(data), keys)
      await expect.poll(() => text(stage)).toMatch(after)
      await expect.poll(() => reference.lines().join('\n')).toMatch(after)
      await expect.poll(async () => stable(await lines(stage))).toEqual(stable(reference.lines()))
    } finally {
      if (typeof quit === 'string') {
        reference.type(quit)
        await one(stage).evaluate(
          (box, data) => (box as HTMLElement & { terminal: Terminal }).terminal.input(data),
          quit,
        )
      } else for (const run of ['reference', 'stage']) quit(run)
      await expect(one(stage)).toHaveAttribute('data-state', 'prompt')
      reference.end()
    }
  })

test('a click moves vim’s cursor to the cell under the pointer at every size of window and terminal', async ({
  stage,
}) => {
  test.skip(!isInstalled('vim'), 'needs vim')
  writeFileSync(join(folder, 'grid'), `${'.'.repeat(GRID.cols)}\n`.repeat(GRID.rows - 1))
  await enter(stage, `vim -u NONE -N -i NONE -n --cmd 'set mouse=a nofsync' ${folder}/grid`)
  await expect.poll(() => text(stage)).toContain('"')
  const cursor = () =>
    one(stage).evaluate((box) => {
      const { active } = (box as HTMLElement & { terminal: Terminal }).terminal.buffer
      return [active.cursorX, active.cursorY]
    })
  /** Waits until the layout is stable: a resized window is laid out within the next frames. */
  const settled = () =>
    one(stage)
      .locator('.xterm-screen')
      .evaluate(
        (grid) =>
          new Promise<void>((resolve) => {
            let before = ''
            let frames = 0
            const check = () => {
              const { x, y, width, height } = grid.getBoundingClientRect()
              const now = [x, y, width, height].join()
              frames = now === before ? frames + 1 : 0
              before = now
              if (frames < 15) requestAnimationFrame(check)
              else resolve()
            }
            check()
          }),
      )
  const clicks = async (size: string) => {
    await settled()
    for (const [column, row] of [
      [3, 2],
      [79, 0],
      [0, 17],
      [41, 9],
      [78, 18],
    ] as const) {
      const grid = await one(stage).locator('.xterm-screen').boundingBox()
      if (!grid) throw new Error('the terminal has no screen')
      await stage.mouse.click(
        grid.x + (grid.width / GRID.cols) * (column + 0.5),
        grid.y + (grid.height / GRID.rows) * (row + 0.5),
      )
      await expect.poll(cursor, size).toEqual([column, row])
    }
  }
  for (const size of [
    { width: 1280, height: 720 },
    { width: 1700, height: 900 },
  ]) {
    await stage.setViewportSize(size)
    await clicks(JSON.stringify(size))
  }
  await stage.keyboard.press('Control+Shift+Equal')
  await expect(one(stage)).toHaveClass(/large/)
  await clicks('large')
  await stage.keyboard.press('Control+Shift+Minus')
  await one(stage).evaluate((box) => (box as HTMLElement & { terminal: Terminal }).terminal.input(':q!\r'))
  await expect(one(stage)).toHaveAttribute('data-state', 'prompt')
})

test('a key maximizes the terminal in every window, with a larger font', async ({ stage, context, talk }) => {
  const audience = await context.newPage()
  await audience.goto(talk.link)
  await expect(one(audience)).toHaveAttribute('data-state', 'prompt')
  const height = async (page: Page) => (await one(page).locator('.xterm-screen').boundingBox())?.height ?? 0
  const before = await height(audience)
  await stage.bringToFront()
  // Repeated, because a state that equals an earlier one must be sent, too.
  for (const [key, larger] of [
    ['Equal', true],
    ['Minus', false],
    ['Equal', true],
  ] as const) {
    await stage.keyboard.press(`Control+Shift+${key}`)
    await expect(one(audience).locator('xpath=self::*[contains(@class, "large")]')).toHaveCount(larger ? 1 : 0)
  }
  for (const page of [stage, audience]) {
    await expect(one(page)).toHaveClass(/large/)
    await expect.poll(() => height(page)).toBeGreaterThan(before * 1.2)
    const [box, slide] = [await one(page).boundingBox(), await page.locator('#slide-content').first().boundingBox()]
    expect(Math.abs((box?.width ?? 0) - (slide?.width ?? 0))).toBeLessThan(2)
    expect(Math.abs((box?.height ?? 0) - (slide?.height ?? 0))).toBeLessThan(2)
  }
  await stage.keyboard.press('Control+Shift+Digit0')
  await expect(one(audience)).not.toHaveClass(/large/)
})

test('web links open in a new window without access to the deck, and links with other schemes do nothing', async ({
  stage,
  context,
  talk,
}) => {
  const link = (uri: string) => `\\e]8;;${uri}\\e\\\\${uri.split(':')[0]}-link\\e]8;;\\e\\\\`
  const schemes = ['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', `${talk.origin}/1?opened`]
  await enter(stage, `clear; printf '${schemes.map(link).join('\\n')}\\n'; echo ${talk.origin}/1?plain`)
  await expect.poll(() => text(stage)).toMatch(/^http-link$/m)
  const opened: string[] = []
  context.on('page', (page) => opened.push(page.url()))
  const at = async (label: string) => {
    const row = (await lines(stage)).findIndex((line) => line.startsWith(label))
    const grid = await one(stage).locator('.xterm-screen').boundingBox()
    if (!grid) throw new Error('the terminal has no screen')
    const position = { x: grid.x + (grid.width / GRID.cols) * 2.5, y: grid.y + (grid.height / GRID.rows) * (row + 0.5) }
    await stage.mouse.move(position.x + 5, position.y)
    await stage.mouse.move(position.x, position.y, { steps: 3 })
    return position
  }
  for (const label of ['javascript', 'file', 'data']) {
    const { x, y } = await at(label)
    await stage.mouse.click(x, y)
  }
  for (const label of ['http-link', talk.origin]) {
    const { x, y } = await at(label)
    await expect(one(stage).locator('.xterm-cursor-pointer')).toBeVisible()
    const popup = context.waitForEvent('page')
    await stage.mouse.click(x, y)
    const page = await popup
    await expect.poll(() => page.url()).toMatch(label === 'http-link' ? /opened/ : /plain/)
    // The new window has no access to the slides.
    expect(await page.evaluate(() => window.opener === null && document.referrer === '')).toBe(true)
    await page.close()
    await stage.bringToFront()
  }
  expect(opened).toHaveLength(2)
})

test('search finds text in the scrollback, moves between matches, and Escape returns to the shell', async ({
  stage,
}) => {
  await enter(stage, 'for i in 1 2 3; do echo needle-$i; seq 200; done')
  await expect.poll(() => text(stage)).toMatch(/^200$/m)
  await stage.keyboard.press('Control+Shift+F')
  const field = one(stage).getByLabel('Search the terminal')
  await expect(field).toBeFocused()
  await stage.keyboard.type('needle-')
  const result = one(stage).locator('.understudy-search output')
  await expect(result).toHaveText('4 of 4')
  await expect.poll(() => text(stage)).toContain('needle-3')
  await stage.keyboard.press('Enter')
  await expect(result).toHaveText('3 of 4')
  await expect.poll(() => text(stage)).toContain('needle-2')
  await stage.keyboard.press('Shift+Enter')
  await expect(result).toHaveText('4 of 4')
  await field.fill('no such text')
  await expect(result).toHaveText('not found')
  await stage.keyboard.press('Escape')
  await expect(one(stage).locator('textarea')).toBeFocused()
  await enter(stage, 'echo typed-$((1+1))')
  await expect.poll(() => text(stage)).toContain('typed-2')
})

test('a selection is copied as text, and as escaped HTML with its colors', async ({ stage, context, talk }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: talk.origin })
  await enter(stage, `clear; printf '\\e[38;2;255;120;0m%s\\e[0m\\n' '<b>a&b</b><script>'`)
  await expect.poll(() => text(stage)).toMatch(/^<b>a&b/m)
  await one(stage).evaluate((box) => {
    const { terminal } = box as HTMLElement & { terminal: Terminal }
    const { active } = terminal.buffer
    for (let row = 0; row < active.length; row++)
      if (active.getLine(row)?.translateToString(true).startsWith('<b>')) terminal.select(0, row, 18)
  })
  const clipboard = (type: string) =>
    stage.evaluate(async (type) => (await (await navigator.clipboard.read())[0]?.getType(type))?.text(), type)
  await stage.keyboard.press('Control+Shift+C')
  await expect.poll(() => clipboard('text/plain')).toBe('<b>a&b</b><script>')
  await stage.keyboard.press('Control+Shift+H')
  await expect.poll(() => clipboard('text/html').catch(() => '')).toContain('color: #ff7800')
  const html = (await clipboard('text/html')) ?? ''
  expect(html).toContain('&lt;b&gt;a&amp;b&lt;/b&gt;&lt;script&gt;')
  expect(html).not.toMatch(/<script|<b>/)
})

test('a paste with control characters remains one line of input', async ({ stage }) => {
  const victim = join(folder, 'victim')
  await one(stage)
    .locator('textarea')
    .evaluate((area, text) => {
      const clipboardData = new DataTransfer()
      clipboardData.setData('text/plain', text)
      area.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
    }, `echo pasted\u001b[201~\rtouch ${victim}\r\u0003touch ${victim}\r\u009b201~\rtouch ${victim}\r`)
  await expect.poll(() => text(stage)).toContain('touch')
  await expect(one(stage)).toHaveAttribute('data-state', 'prompt')
  await stage.keyboard.press('Control+c')
  await enter(stage, `ls ${victim} || echo not-$((1+1))-there`)
  await expect.poll(() => text(stage)).toContain('not-2-there')
})

test('"clear" empties screen and scrollback in every window', async ({ stage, context, talk }) => {
  const audience = await context.newPage()
  await audience.goto(talk.link)
  await expect(one(audience)).toHaveAttribute('data-state', 'prompt')
  await stage.bringToFront()
  await enter(stage, 'seq 500')
  await expect.poll(() => text(audience)).toMatch(/^500$/m)
  await expect(one(stage)).toHaveAttribute('data-state', 'prompt')
  await stage.keyboard.press('Control+Shift+L')
  for (const page of [stage, audience])
    await expect.poll(async () => ((await fullState(page)).rest as { length: number }).length).toBe(GRID.rows)
  expect((await text(audience)).trim().split('\n')).toHaveLength(1)
})

test('the bell flashes at most twice a second', async ({ stage }) => {
  await one(stage).evaluate((box) => {
    const flashes: number[] = []
    new MutationObserver(() => {
      if (box.classList.contains('ringing')) flashes.push(performance.now())
    }).observe(box, { attributes: true, attributeFilter: ['class'] })
    Object.assign(window, { flashes })
  })
  await enter(stage, 'for i in $(seq 30); do printf "\\a"; sleep 0.05; done; echo RUNG')
  await expect.poll(() => text(stage)).toMatch(/^RUNG$/m)
  const flashes = await stage.evaluate(() => (window as unknown as { flashes: number[] }).flashes)
  expect(flashes.length).toBeGreaterThan(1)
  for (const [at, time] of flashes.entries()) if (at > 0) expect(time - (flashes[at - 1] ?? 0)).toBeGreaterThan(480)
})

test('screen reader mode exposes the lines to assistive technology, also after a reload', async ({ stage }) => {
  const tree = one(stage).locator('.xterm-accessibility')
  await expect(tree).toHaveCount(0)
  await stage.keyboard.press('Control+Shift+X')
  await enter(stage, 'echo read-$((1+1))-me')
  await expect(tree.getByText('read-2-me', { exact: true })).toBeAttached()
  await stage.reload()
  await expect(tree.getByText('read-2-me', { exact: true })).toBeAttached()
  await one(stage).hover()
  await one(stage).getByRole('button', { name: 'Menu of terminal one' }).click()
  await one(stage).getByRole('menuitem', { name: 'Screen reader mode' }).click()
  await expect(tree).toHaveCount(0)
})

test('theme colors follow light and dark mode, and 24-bit colors of a program do not change', async ({ stage }) => {
  await enter(stage, `printf '\\e[31mtheme-red\\e[0m \\e[38;2;255;120;0mits-own\\e[0m\\n'`)
  const color = (text: string) =>
    one(stage)
      .locator('.xterm-rows span')
      .getByText(text, { exact: true })
      .last()
      .evaluate((span) => getComputedStyle(span).color)
  await stage.emulateMedia({ colorScheme: 'dark' })
  await expect.poll(() => color('theme-red')).toBe('rgb(255, 123, 127)')
  expect(await color('its-own')).toBe('rgb(255, 120, 0)')
  await stage.emulateMedia({ colorScheme: 'light' })
  await expect.poll(() => color('theme-red')).toBe('rgb(179, 38, 30)')
})
