// Tests of the talk's flake without nixpkgs: evaluates its outputs in the lab, and sends requests to its nginx.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { request, type IncomingHttpHeaders } from 'node:http'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { freePort } from '../server/test/free-port.ts'
import {
  addToProfile,
  build,
  describeWithLab,
  failure,
  flake,
  lab,
  makeWorkdir,
  page,
  replaceIn,
  temp,
} from './lab/for-tests.ts'

interface Response {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Requests a path without normalizing it: `fetch` would resolve dots. */
function get(port: number, path: string, headers: Record<string, string> = {}, host = '127.0.0.1') {
  return new Promise<Response>((resolve, reject) => {
    request({ host, port, path, headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      )
    })
      .on('error', reject)
      .end()
  })
}

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === '::1'))

describeWithLab('the flake', () => {
  test('consists of Nix files without syntax errors', async () => {
    const files = readdirSync(flake, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.nix'))
    expect(files.length).toBeGreaterThan(50)
    const { exitCode, stderr } = await execa('nix-instantiate', ['--parse', ...files], { cwd: flake, reject: false })
    expect(exitCode, stderr).toBe(0)
  })

  test('has the outputs that the talk and its documentation mention', async () => {
    const { stdout } = await lab(await makeWorkdir(), 'nix', ['flake', 'show', '--json'])
    const shown = JSON.parse(stdout as string) as Record<string, Record<string, object>>
    const names = Object.entries(shown).flatMap(([output, inner]) =>
      Object.entries(inner).map(([name, value]) => {
        // An output that is not evaluated, for another system, is empty in some versions of Nix.
        const isLeaf = 'type' in value || Object.keys(value).length === 0
        return `${output}.${name}${isLeaf ? '' : `: ${Object.keys(value).sort().join(' ')}`}`
      }),
    )
    expect(names.sort()).toEqual([
      'checks.aarch64-linux: promises spa-vm',
      'checks.x86_64-linux: promises spa-vm',
      'devShells.aarch64-darwin: default',
      'devShells.aarch64-linux: default',
      'devShells.x86_64-linux: default',
      'formatter.aarch64-darwin',
      'formatter.aarch64-linux',
      'formatter.x86_64-linux',
      'nixosConfigurations.spa-ami',
      'nixosConfigurations.spa-hetzner',
      'nixosConfigurations.spa-vm',
      'nixosModules.profile-spa-machine',
      'nixosModules.service-spa',
      'packages.aarch64-darwin: run-vm',
      'packages.aarch64-linux: run-vm spa spa-ami spa-oci',
      'packages.x86_64-linux: run-vm spa spa-ami spa-oci',
    ])
  })

  test('provides a runner for Macs with an ARM guest', async () => {
    const workdir = await makeWorkdir()
    const evaluate = (attribute: string) =>
      lab(workdir, 'nix', ['eval', '--raw', `.#packages.aarch64-darwin.run-vm.${attribute}`])
    expect((await evaluate('system')).stdout).toBe('aarch64-darwin')
    const derivations = await lab(workdir, 'nix-store', [
      '--query',
      '--requisites',
      (await evaluate('drvPath')).stdout as string,
    ])
    const toplevel = (derivations.stdout as string).split('\n').find((path) => path.includes('-nixos-system-spa-vm-'))
    expect(readFileSync(toplevel!, 'utf8')).toContain('"aarch64-linux"')
  })

  test('passes the check of the claims in the talk, which fails for a wrong configuration', async () => {
    const workdir = await makeWorkdir()
    const { exitCode, all } = await lab(workdir, 'nix', ['build', '-L', '--no-link', '.#checks.x86_64-linux.promises'])
    expect(exitCode, all as string).toBe(0)
    const log = await failure(
      addToProfile('users.users.root.initialPassword = "demo1234";'),
      'checks.x86_64-linux.promises',
    )
    expect(log).toContain('- only the local VM has the demo password')
  })

  test('provides a development shell with the programs of the slides', async () => {
    const workdir = await makeWorkdir()
    const programs = ['curl', 'hcloud', 'nixos-anywhere', 'nixos-rebuild', 'qemu-system-x86_64']
    const { stdout, all } = await lab(workdir, 'nix', ['develop', '-c', 'bash', '-c', `type -P ${programs.join(' ')}`])
    const found = (stdout as string).split('\n').map((path) => path.replace(/^\/nix\/store\/[^/]+\/bin\//, ''))
    expect(found, all as string).toEqual(programs)
  })
})

describeWithLab('nginx, configured by the module,', () => {
  let port: number
  let asset: string

  beforeAll(async () => {
    port = await freePort()
    const workdir = await makeWorkdir((dir) => {
      replaceIn(join(dir, 'nixos/profiles/spa-machine.nix'), 'port = 80;', `port = ${port};`)
      if (!hasIPv6) addToProfile('networking.enableIPv6 = false;')(dir)
    })
    const config = 'nixosConfigurations.spa-vm.config'
    await build(workdir, `${config}.system.build.etc`)
    const unit = `${config}.systemd.services.nginx.serviceConfig.ExecStart`
    const { stdout } = await lab(workdir, 'nix', ['eval', '--raw', `.#${unit}`])
    const [program, file] = (stdout as string).split(' -e stderr -c ')

    // The configuration of the machine, except for the user and the directories that systemd creates.
    const state = mkdtempSync(join(temp, 'nginx-'))
    mkdirSync(join(state, 'cache'))
    const text = readFileSync(file!, 'utf8')
      .replace('user nginx nginx;', process.getuid?.() === 0 ? 'user root root;' : '')
      .replaceAll('/run/nginx/', `${state}/`)
      .replaceAll('/var/cache/nginx/', `${state}/cache/`)
    writeFileSync(join(state, 'nginx.conf'), text)
    const args = ['-e', 'stderr', '-c', join(state, 'nginx.conf')]
    const tested = await lab(state, program!, [...args, '-t'])
    expect(tested.all).toContain('test is successful')

    const nginx = lab(state, program!, args)
    const shell = await page(`http://127.0.0.1:${port}/`, nginx)
    asset = /src="(\/assets\/[^"]+)"/.exec(shell)![1]!
    return () => void nginx.kill()
  })

  test('returns the app shell, not cacheable, for / and all client-side routes', async () => {
    const shell = await get(port, '/')
    expect(shell.status).toBe(200)
    expect(shell.headers['content-type']).toBe('text/html')
    for (const path of ['/machine', '/some/deep/route', '/index.html', '/?query=1']) {
      const response = await get(port, path)
      expect({ path, status: response.status, cache: response.headers['cache-control'] }).toEqual({
        path,
        status: 200,
        cache: 'no-cache',
      })
      expect(response.body.equals(shell.body)).toBe(true)
    }
  })

  test('ignores If-Modified-Since, since all files in the store have the same time', async () => {
    const headers = { 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:01 GMT' }
    expect((await get(port, '/', headers)).status).toBe(200)
  })

  test('lets browsers cache assets forever', async () => {
    const { status, headers } = await get(port, asset)
    expect(status).toBe(200)
    expect(headers['content-type']).toMatch(/javascript/)
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
  })

  test('returns 404, not cacheable, for missing assets', async () => {
    for (const path of ['/assets/missing.js', '/assets/', asset.replace(/[^/]+$/, '')]) {
      const { status, headers } = await get(port, path)
      expect({ path, status, cache: headers['cache-control'] }).toEqual({ path, status: 404, cache: undefined })
    }
  })

  test('compresses text if the client accepts it', async () => {
    const plain = await get(port, asset.replace(/[^/]+$/, 'style.css'))
    const packed = await get(port, asset.replace(/[^/]+$/, 'style.css'), { 'Accept-Encoding': 'gzip' })
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' })
    expect(packed.body.length).toBeLessThan(plain.body.length)
  })

  test('does not serve files outside the app', async () => {
    for (const path of [
      '/../etc/passwd',
      '/assets/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/assets/..%2f..%2f..%2fetc/passwd',
    ]) {
      const { status, body } = await get(port, path)
      expect({ path, refused: status >= 400 }).toEqual({ path, refused: true })
      expect(body.toString()).not.toContain('root:')
    }
  })

  test('returns facts about the machine, not cacheable', async () => {
    const { headers, body } = await get(port, '/host.json')
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
    expect(JSON.parse(body.toString())).toMatchObject({
      server: expect.stringMatching(/^nginx /),
      system: 'NixOS 26.05.lab',
    })
  })

  test.skipIf(!hasIPv6)('responds over IPv6', async () => {
    expect((await get(port, '/', {}, '::1')).status).toBe(200)
  })
})

describeWithLab('the container image', () => {
  test.skipIf(process.getuid?.() !== 0)(
    'serves the app as the user nobody, with only the files in its layers',
    async () => {
      const port = await freePort()
      const workdir = await makeWorkdir((dir) =>
        replaceIn(join(dir, 'spa/nginx.nix'), 'listen 8080;', `listen ${port};`),
      )
      const image = await build(workdir, 'spa-oci')
      const unpacked = mkdtempSync(join(temp, 'image-'))
      const root = mkdtempSync(join(temp, 'root-'))
      chmodSync(root, 0o755) // readable for the user nobody
      await execa('tar', ['-xf', image, '-C', unpacked])
      const json = (file: string): unknown => JSON.parse(readFileSync(join(unpacked, file), 'utf8'))
      const [manifest] = json('manifest.json') as [{ Config: string; RepoTags: string[]; Layers: string[] }]
      const { config } = json(manifest.Config) as { config: { User: string; Cmd: string[] } }
      expect(manifest.RepoTags).toEqual(['spa:1.0.0'])
      for (const layer of manifest.Layers) await execa('tar', ['-xf', join(unpacked, layer), '-C', root])
      expect(readdirSync(root).sort()).toEqual(['nix', 'tmp'])

      const [program, ...args] = config.Cmd
      const nginx = lab(root, 'chroot', [`--userspec=${config.User}`, root, program!, ...args])
      onTestFinished(() => void nginx.kill())
      expect(await page(`http://127.0.0.1:${port}/some/route`, nginx)).toContain('<div id="root"')
      expect((await get(port, '/')).headers['cache-control']).toBe('no-cache')
      expect((await get(port, '/assets/missing.js')).status).toBe(404)
      expect((await get(port, '/', { 'Accept-Encoding': 'gzip' })).headers['content-encoding']).toBe('gzip')
    },
    60_000,
  )
})

describeWithLab('the error message for', () => {
  test('two default sites on one port names both and the fix', async () => {
    const log = await failure(addToProfile('services.nginx.virtualHosts.blog.default = true;'))
    expect(log).toMatch(
      /Failed assertions:\s+- services\.spa-app is the default site on port 80, but so are the virtual hosts "blog" of nginx\. Use another port for one of them, or set its `default` to false\./,
    )
  })

  test('a value that is not a package names the option and the file', async () => {
    const log = await failure((workdir) =>
      replaceIn(
        join(workdir, 'nixos/profiles/spa-machine.nix'),
        'package = inputs.spa.packages.${platform}.default;',
        'package = "spa";',
      ),
    )
    expect(log).toContain("A definition for option `services.spa-app.package' is not of type `package'")
    expect(log).toMatch(/In `\S*nixos\/profiles\/spa-machine\.nix'/)
  })
})
