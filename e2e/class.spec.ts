import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type Page, test as base } from '@playwright/test'
import { execa } from 'execa'
import { noContainers } from '../server/test/containers.ts'
import { freePort } from '../server/test/free-port.ts'
import type { OtherDeck } from './deck.ts'
import { flaws } from './layout-checks.ts'
import { LearnerPage } from './learner-page.ts'
import { expect, processes, screen, startTalk, type Talk } from './talk.ts'
import { missingPrograms } from './programs.ts'
import { tlsProxy } from './tls-proxy.ts'
import { workshopDeck } from './workshop-deck.ts'

/** A class with two learners and an instructor, each in a separate browser. The learners' shells run in containers. */

interface Class {
  deck: OtherDeck
  talk: Talk
  env: Record<string, string>
  /** The link of a learner or the instructor. */
  link: (user: string) => string
  /** The folder that contains a folder for each learner. */
  folder: string
  /** @returns the absolute path of a file in a learner's workspace */
  file: (learner: string, path: string) => string
}

const test = base.extend<{ ada: LearnerPage; bob: LearnerPage; instructor: Page }, { workshop: Class }>({
  workshop: [
    async ({}, use) => {
      const deck = await workshopDeck()
      const temporary = await mkdtemp(join(tmpdir(), 'understudy-class-'))
      const env = { UNDERSTUDY_CACHE: join(temporary, 'cache'), UNDERSTUDY_DATA: join(temporary, 'data') }
      const talk = await startTalk({
        command: 'workshop',
        deck: deck.file,
        args: ['--profile', 'host', '--learners', 'ada,bob'],
        env,
      })
      const inOutput = (pattern: RegExp) => pattern.exec(talk.output())?.[1] ?? ''
      await expect.poll(() => inOutput(/files stay in (\S+)/)).not.toBe('')
      const folder = inOutput(/files stay in (\S+)/).replace(/^~/, homedir())
      await use({
        deck,
        talk,
        env,
        folder,
        link: (user) => inOutput(new RegExp(`${user}\\s+(http\\S+)`)),
        file: (learner, path) => join(folder, learner, 'workspace', path),
      })
      await talk.stop()
      await deck.remove()
      await rm(temporary, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  ada: async ({ browser, workshop }, use) => use(new LearnerPage(await open(browser, workshop.link('ada')))),
  bob: async ({ browser, workshop }, use) => use(new LearnerPage(await open(browser, workshop.link('bob')))),
  instructor: async ({ browser, workshop }, use) => use(await open(browser, workshop.link('Instructor'))),
})
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  const missing = await noContainers()
  test.skip(missing !== undefined, missing)
})

/** The names of the containers of a class, which contain a hash of the class's folder. */
function containersOf(folder: string): string[] {
  const id = createHash('sha256').update(folder).digest('hex').slice(0, 8)
  const { stdout } = spawnSync(
    'podman',
    ['ps', '--all', '--format', '{{.Names}}', '--filter', `name=understudy-${id}-`],
    { encoding: 'utf8' },
  )
  return stdout.split('\n').filter(Boolean)
}

/** Opens a link in a new browser context, which has its own cookies. */
async function open(browser: Browser, link: string): Promise<Page> {
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
test('two learners have separate files, terminals and task progress', async ({ ada, bob, workshop }) => {
  await ada.runCommand('echo of ada > mine; hostname')
  await bob.runCommand('cat ../../ada/workspace/mine; cat mine; ls -A ..; hostname')
  await expect.poll(() => screen(ada.page, 'greet')).toMatch(/^ada$/m)
  await expect.poll(() => screen(bob.page, 'greet')).toMatch(/^bob$/m)
  const output = await screen(bob.page, 'greet')
  expect(output.match(/No such file or directory/g)).toHaveLength(2)
  expect(output).toMatch(/^workspace$/m)
  expect(output).not.toContain('of ada\n')
  expect(await readFile(workshop.file('ada', 'mine'), 'utf8')).toBe('of ada\n')

  for (const learner of [ada, bob]) {
    await learner.openTask('Say good evening')
    await learner.startTask()
  }
  await ada.runCommand(`echo 'echo "Good evening"' > greet.sh`)
  await expect(ada.checkResult).toContainText('Passed')
  await bob.button('Check').click()
  await expect(bob.checkResult).toContainText('greet.sh does not print Good evening')
  expect(await readFile(workshop.file('bob', 'greet.sh'), 'utf8')).toContain('Good morning')
})

test('a learner’s link gives no access to the instructor’s pages', async ({ bob, workshop }) => {
  await expect(bob.page.getByRole('button', { name: '0 of 4 done' })).toBeVisible()
  await bob.page.goto(`${workshop.talk.origin}/class`)
  await expect(bob.page.getByRole('alert')).toContainText("requires the instructor's link")
  await bob.page.goto(`${workshop.talk.origin}/class/ada`)
  await expect(bob.page.getByRole('alert')).toContainText("requires the instructor's link")
  await expect(bob.page.locator('.xterm-screen')).toHaveCount(0)
})

test('the instructor sees the progress of all learners, and can stop terminals and send notes', async ({
  instructor,
  ada,
  bob,
}) => {
  await expect(row(instructor, 'ada')).toContainText('1 of 4')
  await expect(row(instructor, 'bob')).toContainText('0 of 4')
  await expect(row(instructor, 'ada')).toContainText('online')
  await bob.openTask('Add a name')
  await bob.button('Skip').click()
  await expect(row(instructor, 'bob')).toContainText('1 of 4')
  await ada.runCommand('sleep 1000')
  await expect(row(instructor, 'ada')).toContainText('running greet')
  await row(instructor, 'ada').getByRole('button', { name: 'Stop terminals' }).click()
  await expect(row(instructor, 'ada')).not.toContainText('running greet')

  await row(instructor, 'bob').getByRole('button', { name: 'Note' }).click()
  await instructor.getByLabel('Note for bob').fill('Look into greet.sh.')
  await instructor.getByRole('button', { name: 'Send' }).click()
  await expect(bob.page.getByText('Look into greet.sh.')).toBeVisible()
  await expect(ada.page.getByText('Look into greet.sh.')).toBeHidden()
  await bob.page.getByRole('button', { name: 'Dismiss' }).click()
  await expect(bob.page.getByText('Look into greet.sh.')).toBeHidden()

  await bob.page.context().close()
  await expect(row(instructor, 'bob')).toContainText('offline')
})

test('the instructor can view a learner’s terminal, and type in it only while the learner allows it', async ({
  instructor,
  ada,
}) => {
  await ada.runCommand('echo shown to the instructor')
  const viewer = await instructor.context().newPage()
  await viewer.goto(
    await row(instructor, 'ada')
      .getByRole('link', { name: 'View' })
      .evaluate((link: HTMLAnchorElement) => link.href),
  )
  await expect.poll(() => screen(viewer, 'greet')).toContain('shown to the instructor')
  const typeInViewer = async (text: string) => {
    await viewer.locator('.xterm-screen').click()
    await viewer.keyboard.type(`${text}\n`)
  }
  await typeInViewer('echo not yet')
  await viewer.getByRole('button', { name: 'Ask to join' }).click()
  await ada.page.getByRole('button', { name: 'Allow' }).click()
  await expect(viewer.getByText('You can type')).toBeVisible()
  await typeInViewer('echo with consent')
  await expect.poll(() => screen(ada.page, 'greet')).toMatch(/^with consent$/m)
  expect(await screen(ada.page, 'greet')).not.toContain('not yet')

  await ada.page.getByRole('button', { name: 'Revoke' }).click()
  await expect(viewer.getByText('View-only')).toBeVisible()
  await typeInViewer('echo any more')
  await ada.runCommand('echo the last word')
  await expect.poll(() => screen(viewer, 'greet')).toMatch(/^the last word$/m)
  expect(await screen(ada.page, 'greet')).not.toContain('any more')
})

test('the instructor can reset a learner’s files without resetting the task progress', async ({
  instructor,
  ada,
  workshop,
}) => {
  await writeFile(workshop.file('ada', 'count.sh'), 'broken')
  await row(instructor, 'ada').getByRole('button', { name: 'Reset' }).click()
  await expect.poll(() => readFile(workshop.file('ada', 'count.sh'), 'utf8')).toBe('seq 3\n')
  await expect(row(instructor, 'ada')).toContainText('1 of 4')
  await expect(ada.page.getByRole('button', { name: '1 of 4 done' })).toBeVisible()
})

test('the pages of a class have no layout or accessibility flaws in either color scheme', async ({
  instructor,
  ada,
}) => {
  const viewer = await instructor.context().newPage()
  await viewer.goto(new URL('/class/ada', instructor.url()).href)
  await expect(viewer.locator('.xterm-screen')).toBeVisible()
  await row(instructor, 'ada').getByRole('button', { name: 'Note' }).click()
  await instructor.getByLabel('Note for ada').fill('A longer note. '.repeat(20))
  await instructor.getByRole('button', { name: 'Send' }).click()
  await viewer.getByRole('button', { name: 'Ask to join' }).click()
  await expect(ada.page.getByRole('button', { name: 'Allow' })).toBeVisible()
  await row(instructor, 'bob').getByRole('button', { name: 'Note' }).click()
  for (const colorScheme of ['light', 'dark'] as const)
    for (const page of [instructor, viewer, ada.page]) {
      await page.emulateMedia({ colorScheme })
      expect(await flaws(page), `${colorScheme} ${page.url()}`).toEqual([])
    }
  // A class of twenty fits the page without scrolling.
  expect((await row(instructor, 'ada').boundingBox())?.height).toBeLessThan(50)
  await ada.page.getByRole('button', { name: 'Deny' }).click()
  await expect(viewer.getByText('View-only')).toBeVisible()
})

test('a second server of the same class is refused, and stopping the first one removes its containers but keeps the files', async ({
  workshop,
  ada,
}) => {
  const second = await execa(
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
  expect(second.exitCode).toBe(1)
  expect(second.stderr).toContain('is in use by process')
  await ada.runCommand('echo of ada > mine; echo still here')
  await expect.poll(() => screen(ada.page, 'greet')).toMatch(/^still here$/m)

  expect(containersOf(workshop.folder)).toHaveLength(2)
  expect(await workshop.talk.stop('SIGINT')).toBe(0)
  expect(containersOf(workshop.folder)).toEqual([])
  expect(await readFile(workshop.file('ada', 'mine'), 'utf8')).toBe('of ada\n')
})

test('with --command-prefix the shells run through that command, and a prefix that does not reach the files is refused', async ({
  workshop,
  browser,
}) => {
  const args = ['--profile', 'host', '--learners', 'ada']
  const talk = await startTalk({
    command: 'workshop',
    deck: workshop.deck.file,
    args: [...args, '--command-prefix', 'env REMOTE=of-{learner} sh -c'],
    env: workshop.env,
  })
  try {
    const page = await open(browser, /ada\s+(http\S+)/.exec(talk.output())?.[1] ?? '')
    await new LearnerPage(page).runCommand('echo $REMOTE; cat mine')
    await expect.poll(() => screen(page, 'greet')).toMatch(/^of-ada\nof ada$/m)
  } finally {
    await talk.stop()
  }
  const unreachable = await execa(
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
  expect(unreachable.exitCode).toBe(1)
  expect(unreachable.stderr).toContain('The command prefix "false" does not reach the workspace of learner "ada"')
})

test('a VM in a learner’s container serves its page on that learner’s slide only, locally and behind a proxy', async ({
  browser,
}) => {
  const missing = missingPrograms({ nix: 'nix-bin', openssl: 'openssl' })
  test.skip(missing !== undefined, missing)
  test.setTimeout(300_000)
  const data = await mkdtemp(join(tmpdir(), 'understudy-class-'))
  const proxyPort = await freePort()
  // Browsers resolve every subdomain of `localhost` to this machine.
  const publicHost = `class.localhost:${proxyPort}`
  const talk = await startTalk({
    command: 'workshop',
    args: ['--learners', 'ada,bob', '--public-url', `https://${publicHost}`, '--page-url', `https://*.${publicHost}`],
    env: { UNDERSTUDY_DATA: data },
  })
  const closeProxy = await tlsProxy(proxyPort, Number(new URL(talk.origin).port), data)
  try {
    expect(talk.output()).toMatch(
      /This machine has capacity for \d+ learners\. One learner uses \d{2,} MiB of memory, [\d.]+ s of CPU time/,
    )
    const link = (learner: string) => new RegExp(`${learner}\\s+(https\\S+)`).exec(talk.output())?.[1] ?? ''
    const ada = await open(browser, link('ada').replace(`https://${publicHost}`, talk.origin))
    const bob = await open(browser, link('bob'))
    for (const page of [ada, bob]) {
      await new LearnerPage(page).openTask('Serve on another port')
      // Both VMs use the same port, each in its own container.
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
    expect(addresses[1]).toMatch(new RegExp(`^https://[0-9a-f]{32}\\.${publicHost}/$`))
    // The proxy also serves the page's script and style. Without the learner's cookie, it refuses the page.
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
    const response = await (await eve.newPage()).goto(addresses[1] ?? '')
    expect(response?.status()).toBe(401)
  } finally {
    await talk.stop()
    // Open windows reconnect repeatedly, which would prevent the proxy from closing.
    for (const context of browser.contexts()) await context.close()
    await closeProxy()
    await rm(data, { recursive: true, force: true })
  }
  expect(await processes(/qemu-system.*spa-vm/)).toEqual([])
})

test('Ctrl-C during the capacity measurement stops it and leaves no container or file behind', async () => {
  const deck = await workshopDeck()
  const temporary = await mkdtemp(join(tmpdir(), 'understudy-class-'))
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
      env: { UNDERSTUDY_CACHE: join(temporary, 'cache'), UNDERSTUDY_DATA: join(temporary, 'data') },
      reject: false,
    },
  )
  await expect.poll(() => processes(/sleep 1357$/)).not.toEqual([])
  starting.kill('SIGINT')
  await starting
  expect(await processes(/sleep 1357$/)).toEqual([])
  const [deckFolder = ''] = await readdir(join(temporary, 'data', 'workshops'))
  const folder = join(temporary, 'data', 'workshops', deckFolder)
  expect(containersOf(folder)).toEqual([])
  expect(await readdir(folder)).toEqual([])
  await deck.remove()
  await rm(temporary, { recursive: true, force: true })
})
