import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Page, test as base } from '@playwright/test'
import { execa } from 'execa'
import { noContainers } from '../server/test/containers.ts'
import { freePort } from '../server/test/free-port.ts'
import type { OtherDeck } from './deck.ts'
import { begin, button, openTask, result } from './workshop-page.ts'
import { flaws } from './layout-checks.ts'
import { expect, processes, screen, startTalk, type Talk } from './talk.ts'
import { missingPrograms } from './programs.ts'
import { tlsProxy } from './tls-proxy.ts'
import { workshopDeck } from './workshop-deck.ts'

/** Two learners and who teaches them, each in a browser of their own; the learners' shells are in containers. */

interface Class {
  deck: OtherDeck
  talk: Talk
  env: Record<string, string>
  /** The link of the instructor, or of a learner. */
  link: (who: string) => string
  /** The folder of the learners. */
  files: string
  /** A file in the copy of a learner. */
  file: (who: string, path: string) => string
}

const test = base.extend<{ ada: Page; bob: Page; instructor: Page }, { workshop: Class }>({
  workshop: [
    async ({}, use) => {
      const deck = await workshopDeck()
      const place = await mkdtemp(join(tmpdir(), 'understudy-class-'))
      const env = { UNDERSTUDY_CACHE: join(place, 'cache'), UNDERSTUDY_DATA: join(place, 'data') }
      const talk = await startTalk({
        command: 'workshop',
        deck: deck.file,
        args: ['--profile', 'host', '--learners', 'ada,bob'],
        env,
      })
      const found = (pattern: RegExp) => pattern.exec(talk.output())?.[1] ?? ''
      await expect.poll(() => found(/files are in (\S+)/)).not.toBe('')
      const files = found(/files are in (\S+)/).replace(/^~/, homedir())
      await use({
        deck,
        talk,
        env,
        files,
        link: (who) => found(new RegExp(`${who}\\s+(http\\S+)`)),
        file: (who, path) => join(files, who, 'copy', path),
      })
      await talk.stop()
      await deck.remove()
      await rm(place, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  ada: async ({ browser, workshop }, use) => use(await open(browser, workshop.link('ada'))),
  bob: async ({ browser, workshop }, use) => use(await open(browser, workshop.link('bob'))),
  instructor: async ({ browser, workshop }, use) => use(await open(browser, workshop.link('Instructor'))),
})
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  const missing = await noContainers()
  test.skip(missing !== undefined, missing)
})

/** The containers of a class, by the name that they have of its folder. */
function containersOf(files: string): string[] {
  const id = createHash('sha256').update(files).digest('hex').slice(0, 8)
  const { stdout } = spawnSync(
    'podman',
    ['ps', '--all', '--format', '{{.Names}}', '--filter', `name=understudy-${id}-`],
    { encoding: 'utf8' },
  )
  return stdout.split('\n').filter(Boolean)
}

/** Everybody has a browser of their own: one has the cookies of one. */
async function open(browser: import('@playwright/test').Browser, link: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, ignoreHTTPSErrors: true })
  const page = await context.newPage()
  page.on('dialog', (dialog) => void dialog.accept())
  await page.goto(link)
  return page
}
test.afterEach(async ({ browser }) => {
  for (const context of browser.contexts()) await context.close()
})

const row = (page: Page, learner: string) =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: learner }) })
const terminalOf = (page: Page) => page.locator('[data-panel="terminal"]')
/** Types a command line as somebody does who has clicked into the terminal. */
async function type(page: Page, text: string) {
  await terminalOf(page).locator('.xterm-screen').click()
  await page.keyboard.type(`${text}\n`)
}

test('two learners at once are kept apart: their files, their terminals and their tasks', async ({
  ada,
  bob,
  workshop,
}) => {
  await type(ada, 'echo of ada > mine; hostname')
  await type(bob, 'cat ../../ada/copy/mine; cat mine; ls -A ..; hostname')
  await expect.poll(() => screen(ada, 'greet')).toMatch(/^ada$/m)
  await expect.poll(() => screen(bob, 'greet')).toMatch(/^bob$/m)
  const seen = await screen(bob, 'greet')
  expect(seen.match(/No such file or directory/g)).toHaveLength(2)
  expect(seen).toMatch(/^copy$/m)
  expect(seen).not.toContain('of ada\n')
  expect(await readFile(workshop.file('ada', 'mine'), 'utf8')).toBe('of ada\n')

  for (const page of [ada, bob]) {
    await openTask(page, 'Say good evening')
    await begin(page)
  }
  await type(ada, `echo 'echo "Good evening"' > greet.sh`)
  await expect(result(ada)).toContainText('Passed')
  await button(bob, 'Check').click()
  await expect(result(bob)).toContainText('it does not say Good evening')
  expect(await readFile(workshop.file('bob', 'greet.sh'), 'utf8')).toContain('Good morning')
})

test('a learner’s link opens that learner’s page, and neither the talk nor the class', async ({ bob, workshop }) => {
  await expect(bob.getByRole('button', { name: '0 of 4 done' })).toBeVisible()
  await bob.goto(`${workshop.talk.origin}/class`)
  await expect(bob.getByRole('alert')).toContainText("not the instructor's")
  await bob.goto(`${workshop.talk.origin}/class/ada`)
  await expect(bob.getByRole('alert')).toContainText("not the instructor's")
  await expect(bob.locator('.xterm-screen')).toHaveCount(0)
})

test('the instructor sees at once how far everybody is, and what they need', async ({ instructor, ada, bob }) => {
  await expect(row(instructor, 'ada')).toContainText('1 of 4')
  await expect(row(instructor, 'bob')).toContainText('0 of 4')
  await expect(row(instructor, 'ada')).toContainText('here')
  await openTask(bob, 'Add a name')
  await button(bob, 'Skip').click()
  await expect(row(instructor, 'bob')).toContainText('1 of 4')
  await type(ada, 'sleep 1000')
  await expect(row(instructor, 'ada')).toContainText('runs greet')
  await row(instructor, 'ada').getByRole('button', { name: 'End terminals' }).click()
  await expect(row(instructor, 'ada')).not.toContainText('runs greet')

  await row(instructor, 'bob').getByRole('button', { name: 'Note' }).click()
  await instructor.getByLabel('A note for bob').fill('Look into greet.sh.')
  await instructor.getByRole('button', { name: 'Send' }).click()
  await expect(bob.getByText('Look into greet.sh.')).toBeVisible()
  await expect(ada.getByText('Look into greet.sh.')).toBeHidden()
  await bob.getByRole('button', { name: 'Dismiss' }).click()
  await expect(bob.getByText('Look into greet.sh.')).toBeHidden()

  await bob.context().close()
  await expect(row(instructor, 'bob')).toContainText('not here')
})

test('the instructor looks at a learner’s terminal, and types there only while the learner agrees', async ({
  instructor,
  ada,
}) => {
  await type(ada, 'echo shown to the instructor')
  const look = await instructor.context().newPage()
  await look.goto(
    await row(instructor, 'ada')
      .getByRole('link', { name: 'Look' })
      .evaluate((link: HTMLAnchorElement) => link.href),
  )
  await expect.poll(() => screen(look, 'greet')).toContain('shown to the instructor')
  const typed = async (text: string) => {
    await look.locator('.xterm-screen').click()
    await look.keyboard.type(`${text}\n`)
  }
  await typed('echo not yet')
  await look.getByRole('button', { name: 'Ask to join' }).click()
  await ada.getByRole('button', { name: 'Let them' }).click()
  await expect(look.getByText('You can type here.')).toBeVisible()
  await typed('echo with consent')
  await expect.poll(() => screen(ada, 'greet')).toMatch(/^with consent$/m)
  expect(await screen(ada, 'greet')).not.toContain('not yet')

  await ada.getByRole('button', { name: 'End it' }).click()
  await expect(look.getByText('You look; the learner has not agreed to more.')).toBeVisible()
  await typed('echo any more')
  await type(ada, 'echo the last word')
  await expect.poll(() => screen(look, 'greet')).toMatch(/^the last word$/m)
  expect(await screen(ada, 'greet')).not.toContain('any more')
})

test('the instructor puts a learner’s files back to the start; what is done stays done', async ({
  instructor,
  ada,
  workshop,
}) => {
  await writeFile(workshop.file('ada', 'count.sh'), 'broken')
  await row(instructor, 'ada').getByRole('button', { name: 'Reset' }).click()
  await expect.poll(() => readFile(workshop.file('ada', 'count.sh'), 'utf8')).toBe('seq 3\n')
  await expect(row(instructor, 'ada')).toContainText('1 of 4')
  await expect(ada.getByRole('button', { name: '1 of 4 done' })).toBeVisible()
})

test('the pages of the class are whole in both colour schemes, and axe finds nothing', async ({ instructor, ada }) => {
  const look = await instructor.context().newPage()
  await look.goto(new URL('/class/ada', instructor.url()).href)
  await expect(look.locator('.xterm-screen')).toBeVisible()
  await row(instructor, 'ada').getByRole('button', { name: 'Note' }).click()
  await instructor.getByLabel('A note for ada').fill('A longer note. '.repeat(20))
  await instructor.getByRole('button', { name: 'Send' }).click()
  await look.getByRole('button', { name: 'Ask to join' }).click()
  await expect(ada.getByRole('button', { name: 'Let them' })).toBeVisible()
  await row(instructor, 'bob').getByRole('button', { name: 'Note' }).click()
  for (const colorScheme of ['light', 'dark'] as const)
    for (const page of [instructor, look, ada]) {
      await page.emulateMedia({ colorScheme })
      expect(await flaws(page), `${colorScheme} ${page.url()}`).toEqual([])
    }
  // A class of twenty is seen at one look.
  expect((await row(instructor, 'ada').boundingBox())?.height).toBeLessThan(50)
  await ada.getByRole('button', { name: 'No', exact: true }).click()
  await expect(look.getByText('You look; the learner has not agreed to more.')).toBeVisible()
})

test('a second server of the same class is refused, and the first goes on; its end leaves the files and no container', async ({
  workshop,
  ada,
}) => {
  const again = await execa(
    process.execPath,
    [
      'bin/understudy.js',
      'workshop',
      workshop.deck.file,
      '--port',
      String(await freePort()),
      '--profile',
      'host',
      '--no-open',
      '--learners',
      'ada',
    ],
    { env: workshop.env, reject: false },
  )
  expect(again.exitCode).toBe(1)
  expect(again.stderr).toContain('This workshop is open already')
  await type(ada, 'echo of ada > mine; echo still here')
  await expect.poll(() => screen(ada, 'greet')).toMatch(/^still here$/m)

  expect(containersOf(workshop.files)).toHaveLength(2)
  expect(await workshop.talk.stop('SIGINT')).toBe(0)
  expect(containersOf(workshop.files)).toEqual([])
  expect(await readFile(workshop.file('ada', 'mine'), 'utf8')).toBe('of ada\n')
})

test('by a command prefix the shells run where the operator says; one that leads nowhere is named', async ({
  workshop,
  browser,
}) => {
  const args = ['--profile', 'host', '--learners', 'ada']
  const talk = await startTalk({
    command: 'workshop',
    deck: workshop.deck.file,
    args: [...args, '--command-prefix', 'env PLACE=of-{learner} sh -c'],
    env: workshop.env,
  })
  try {
    const page = await open(browser, /ada\s+(http\S+)/.exec(talk.output())?.[1] ?? '')
    await type(page, 'echo $PLACE; cat mine')
    await expect.poll(() => screen(page, 'greet')).toMatch(/^of-ada\nof ada$/m)
  } finally {
    await talk.stop()
  }
  const nowhere = await execa(
    process.execPath,
    [
      'bin/understudy.js',
      'workshop',
      workshop.deck.file,
      '--port',
      String(await freePort()),
      '--no-open',
      ...args,
      '--command-prefix',
      'false',
    ],
    { env: workshop.env, reject: false },
  )
  expect(nowhere.exitCode).toBe(1)
  expect(nowhere.stderr).toContain('false does not lead to the files of ada')
})

test('the talk itself, as a class: a machine boots in the container of a learner, and its page is on the learner’s slide alone, here and behind a proxy', async ({
  browser,
}) => {
  const missing = missingPrograms({ nix: 'nix-bin', openssl: 'openssl' })
  test.skip(missing !== undefined, missing)
  test.setTimeout(300_000)
  const data = await mkdtemp(join(tmpdir(), 'understudy-class-'))
  const secure = await freePort()
  // A browser leads each name below `localhost` to this machine.
  const at = `class.localhost:${secure}`
  const talk = await startTalk({
    command: 'workshop',
    args: ['--learners', 'ada,bob', '--at', `https://${at}`, '--pages-at', `https://*.${at}`],
    env: { UNDERSTUDY_DATA: data },
  })
  const closeProxy = await tlsProxy(secure, Number(new URL(talk.origin).port), data)
  try {
    expect(talk.output()).toMatch(
      /This machine carries \d+ learners\. A learner takes \d{2,} MiB of memory, [\d.]+ s of a core/,
    )
    const link = (who: string) => new RegExp(`${who}\\s+(https\\S+)`).exec(talk.output())?.[1] ?? ''
    const ada = await open(browser, link('ada').replace(`https://${at}`, talk.origin))
    const bob = await open(browser, link('bob'))
    for (const page of [ada, bob]) {
      await openTask(page, 'Serve on another port')
      // Both on the same port, each of a machine of their own.
      await page.getByRole('button', { name: 'Run run-vm' }).click()
    }
    const addresses: string[] = []
    for (const page of [ada, bob]) {
      await expect(page.frameLocator('.understudy-page iframe').getByText('It works.')).toBeVisible({
        timeout: 120_000,
      })
      addresses.push(
        page
          .frames()
          .find((frame) => frame.parentFrame())
          ?.url() ?? '',
      )
    }
    expect(addresses[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
    expect(addresses[1]).toMatch(new RegExp(`^https://[0-9a-f]{32}\\.${at}/$`))
    // The page's own script and style have come too, and whoever has the address alone is not let in.
    expect(
      await bob
        .frameLocator('.understudy-page iframe')
        .locator('body')
        .evaluate((body) => getComputedStyle(body).fontFamily),
    ).toBe(
      await ada
        .frameLocator('.understudy-page iframe')
        .locator('body')
        .evaluate((body) => getComputedStyle(body).fontFamily),
    )
    const eve = await browser.newContext({ ignoreHTTPSErrors: true })
    const answer = await (await eve.newPage()).goto(addresses[1] ?? '')
    expect(answer?.status()).toBe(401)
  } finally {
    await talk.stop()
    // A window that goes on asking would hold the proxy open.
    for (const context of browser.contexts()) await context.close()
    await closeProxy()
    await rm(data, { recursive: true, force: true })
  }
  expect(await processes(/qemu-system.*spa-vm/)).toEqual([])
})

test('Ctrl-C while the machine is measured ends that at once, and leaves neither a container nor a file', async () => {
  const deck = await workshopDeck()
  const place = await mkdtemp(join(tmpdir(), 'understudy-class-'))
  await writeFile(join(deck.file, '..', 'tasks/greeting/check'), 'sleep 1357\n')
  const starting = execa(
    process.execPath,
    [
      'bin/understudy.js',
      'workshop',
      deck.file,
      '--port',
      String(await freePort()),
      '--profile',
      'host',
      '--no-open',
      '--learners',
      '2',
    ],
    {
      env: { UNDERSTUDY_CACHE: join(place, 'cache'), UNDERSTUDY_DATA: join(place, 'data') },
      reject: false,
    },
  )
  await expect.poll(() => processes(/sleep 1357$/)).not.toEqual([])
  starting.kill('SIGINT')
  await starting
  expect(await processes(/sleep 1357$/)).toEqual([])
  const [own = ''] = await readdir(join(place, 'data', 'workshops'))
  const files = join(place, 'data', 'workshops', own)
  expect(containersOf(files)).toEqual([])
  expect(await readdir(files)).toEqual([])
  await deck.remove()
  await rm(place, { recursive: true, force: true })
})
