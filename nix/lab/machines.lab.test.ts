// Tests of the lab with the talk's flake: prepares a real lab, builds outputs and boots machines. Needs Nix and the
// Debian packages.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../server/test/free-port.ts'
import {
  addToProfile,
  cache,
  describeWithLab,
  failure,
  flake,
  lab,
  lock,
  logOf,
  makeWorkdir,
  page,
  prepare,
  profile,
  replaceIn,
  temp,
} from './for-tests.ts'

describeWithLab('prepare.sh', () => {
  test('returns immediately if the lab is up to date', async () => {
    const started = performance.now()
    const { stdout, exitCode } = await prepare(cache)
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 })
    expect(performance.now() - started).toBeLessThan(1000)
  })

  test('excludes tests and fixtures from the lab', () => {
    const files = readdirSync(join(cache, 'lab/inputs/nixpkgs/lib'), { recursive: true, encoding: 'utf8' })
    expect(files).toContain('default.nix')
    expect(files.filter((name) => /\.ts$|fixtures/.test(name))).toEqual([])
  })

  test('lists required and missing packages', async () => {
    expect((await prepare('--packages')).stdout.split('\n')).toContain('nix-bin')
    expect((await prepare('--missing')).stdout).not.toContain('nix-bin')
  })

  test('leaves no incomplete lab behind when it is interrupted', async () => {
    const dir = mkdtempSync(join(temp, 'interrupted-'))
    // Reuses the downloaded packages, so that the interrupt hits the steps after the download.
    await execa('cp', ['-a', join(cache, 'debs'), join(dir, 'debs')])
    const running = execa(join(flake, 'lab/prepare.sh'), [dir], { reject: false, all: true, detached: true })
    await new Promise<void>((resolve) => running.stdout.on('data', (data: Buffer) => data.includes('[1/') && resolve()))
    process.kill(-running.pid!, 'SIGINT')
    expect((await running).exitCode).not.toBe(0)
    expect(readdirSync(dir).sort()).toEqual(['.preparing', 'debs'])
  })

  test.skipIf(process.getuid?.() !== 0)('reports a full disk', async () => {
    const dir = mkdtempSync(join(temp, 'full-'))
    const mount = await execa('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dir], { reject: false })
    if (mount.exitCode !== 0)
      return console.warn('lab: the test of a full disk was skipped, because it cannot mount a file system')
    onTestFinished(() => void spawnSync('umount', [dir]))
    const { exitCode, stderr } = await prepare(join(dir, 'cache'))
    expect(exitCode).toBe(7)
    expect(stderr).toMatch(/Not enough space for the lab: .* has \d+ MB left, the lab needs \d+ MB there/)
    expect(existsSync(join(dir, 'cache/lab'))).toBe(false)
  })
})

describeWithLab('the offline lab', () => {
  let workdir: string
  beforeAll(async () => {
    workdir = await makeWorkdir()
  })

  test('evaluates all outputs of the flake', async () => {
    const { exitCode, all } = await lab(workdir, 'nix', ['flake', 'check', '--no-build'])
    expect(exitCode, all as string).toBe(0)
  })

  test('passes the VM test', async () => {
    const { exitCode, all } = await lab(workdir, 'nix', ['flake', 'check', '-L'])
    expect(exitCode, all as string).toBe(0)
  }, 120_000)

  test('reboots a machine in a VM test', async () => {
    const edited = await makeWorkdir((dir) => {
      writeFileSync(join(dir, 'tests/headers-and-restart.py'), '')
      replaceIn(
        join(dir, 'tests/spa-vm-test.nix'),
        '    machine.wait_for_unit("nginx.service")\n',
        `    boot_id = "cat /proc/sys/kernel/random/boot_id"
    machine.start(allow_reboot=True)
    before = machine.succeed(boot_id)
    machine.reboot()
    assert machine.succeed(boot_id) != before
    machine.wait_for_unit("nginx.service")
`,
      )
    })
    const { exitCode, all } = await lab(edited, 'nix', ['build', '-L', '--no-link', '.#checks.x86_64-linux.spa-vm'])
    expect(exitCode, all as string).toBe(0)
    expect((await logOf(edited, 'checks.x86_64-linux.spa-vm')).match(/NixOS Stage 1/g)).toHaveLength(2)
  }, 120_000)

  test('passes the install test of the server and rejects a remote installation', async () => {
    const rehearse = ['--flake', '.#spa-hetzner', '--vm-test']
    const { exitCode, all } = await lab(workdir, 'nixos-anywhere', rehearse)
    expect(exitCode, all as string).toBe(0)
    expect(all).toMatch(/\n?\/nix\/store\/[^/]+-vm-test-run-disko-spa-hetzner-disko$/)
    const log = await logOf(workdir, 'nixosConfigurations.spa-hetzner.config.system.build.installTest')
    expect(log).toContain('must succeed: chroot /mnt')
    expect(log).toMatch(/booted_machine # .*Booting `NixOS 26\.05\.lab/)
    const remote = await lab(workdir, 'nixos-anywhere', ['--flake', '.#spa-hetzner', 'root@203.0.113.7'])
    expect(remote.exitCode).toBe(1)
    expect(remote.stderr).toContain('The offline lab has no remote host')
  }, 180_000)

  test('reports the sizes in a closure and why it contains a package', async () => {
    const toplevel = '.#nixosConfigurations.spa-ami.config.system.build.toplevel'
    const build = await lab(workdir, 'nix', ['build', '--no-link', toplevel])
    expect(build.exitCode, build.all as string).toBe(0)
    const sizes = await lab(workdir, 'nix', ['path-info', '-sSrh', toplevel])
    expect(sizes.stdout).toMatch(/nixos-system-spa-ami-\S+\s+[\d.]+ ?\w+\s+\d+\.\d ?M/)
    // Without --all, Nix prints one of the shortest chains, which depends on the hashes.
    const openssl = '.#nixosConfigurations.spa-ami.pkgs.openssl'
    const why = await lab(workdir, 'nix', ['why-depends', '--all', toplevel, openssl])
    expect(why.all).toMatch(/nixos-system-spa-ami[^]*unit-nginx\.service[^]*nginx-[^]*openssl-/)
  })

  /** Boots `spa-vm.vhd` with the firmware, waits for the page, and returns the facts in /host.json. */
  async function bootImage(directory: string, firmware: 'UEFI' | 'BIOS'): Promise<{ host: string }> {
    const ovmf = join(cache, 'lab/roots/packages/OVMF/FV')
    const variables = join(directory, 'vars.fd')
    writeFileSync(variables, readFileSync(join(ovmf, 'OVMF_VARS.fd')))
    const uefi = [
      ...['-drive', `if=pflash,format=raw,readonly=on,file=${ovmf}/OVMF_CODE.fd`],
      ...['-drive', `if=pflash,format=raw,file=${variables}`],
    ]
    const port = await freePort()
    const machine = lab(directory, 'qemu-system-x86_64', [
      ...['-machine', 'q35', '-accel', 'tcg', '-cpu', 'max', '-m', '1024'],
      ...['-nodefaults', '-display', 'none', '-snapshot'],
      ...(firmware === 'UEFI' ? uefi : []),
      ...['-drive', `file=${directory}/result/spa-vm.vhd,format=vpc,if=virtio`],
      ...['-netdev', `user,id=net,hostfwd=tcp:127.0.0.1:${port}-:80`, '-device', 'virtio-net-pci,netdev=net,romfile='],
    ])
    onTestFinished(() => void machine.kill())
    expect(await page(`http://127.0.0.1:${port}/`, machine)).toContain('<div id="root"')
    return (await (await fetch(`http://127.0.0.1:${port}/host.json`)).json()) as { host: string }
  }

  test('builds an image for EC2 that boots with UEFI and serves the page', async () => {
    const { exitCode, all } = await lab(workdir, 'nix', ['build', '.#spa-ami'])
    expect(exitCode, all as string).toBe(0)
    expect((await bootImage(workdir, 'UEFI')).host).toBe('spa-ami')
  }, 120_000)

  test('builds an image for EC2 with GRUB and Perl that boots with BIOS', async () => {
    const edited = await makeWorkdir((dir) => {
      const ami = join(dir, 'configurations/spa-ami.nix')
      replaceIn(ami, 'ec2.efi = true;', 'system.forbiddenDependenciesRegexes = lib.mkForce [ ];')
      replaceIn(ami, 'systemd-boot.enable', 'grub.enable')
    })
    const { exitCode, all } = await lab(edited, 'nix', ['build', '.#spa-ami'])
    expect(exitCode, all as string).toBe(0)
    expect((await bootImage(edited, 'BIOS')).host).toBe('spa-ami')
    const toplevel = '.#nixosConfigurations.spa-ami.config.system.build.toplevel'
    const why = await lab(edited, 'nix', ['why-depends', toplevel, '.#nixosConfigurations.spa-ami.pkgs.perl'])
    expect(why.all).toMatch(/nixos-system-spa-ami[^]*install-grub\.sh[^]*perl-/)
  }, 120_000)

  test('lists the image variants, and builds the one for VMware', async () => {
    const command = ['build-image', '--flake', '.#spa-vm']
    const none = await lab(workdir, 'nixos-rebuild', command)
    expect(none.exitCode).toBe(1)
    expect(none.stderr).toContain('please specify one of the following supported image variants via --image-variant:\n')
    expect(none.stderr).toContain('\n- vmware')
    const vmware = await lab(workdir, 'nixos-rebuild', [...command, '--image-variant', 'vmware'])
    expect(vmware.exitCode, vmware.all as string).toBe(0)
    const file = /The disk image can be found in '(.*\.vmdk)'/.exec(vmware.stdout as string)?.[1]
    const info = await lab(workdir, 'qemu-img', ['info', '--output=json', file!])
    expect(JSON.parse(info.stdout as string)).toMatchObject({ format: 'vmdk' })
  })

  test('runs a VM with a console on the terminal and a port forward from the host', async () => {
    const port = await freePort()
    replaceIn(join(workdir, 'configurations/spa-qemu.nix'), 'host.port = 8080', `host.port = ${port}`)
    const machine = lab(workdir, 'nix', ['run', '.#run-vm'], { stdin: 'pipe' })
    onTestFinished(() => void machine.kill())
    expect(await page(`http://127.0.0.1:${port}/some/route`, machine)).toContain('<div id="root"')
    expect((await fetch(`http://127.0.0.1:${port}/assets/missing.js`)).status).toBe(404)

    // A second VM cannot use the same port.
    const second = await lab(workdir, 'nix', ['run', '.#run-vm'])
    expect(second.exitCode).not.toBe(0)
    expect(second.stderr).toContain(`Could not set up host forwarding rule 'tcp:127.0.0.1:${port}-:80'`)

    machine.stdin!.write('\r\u0001x')
    expect((await machine).all).toContain('spa-vm login:')
  }, 120_000)
})

describeWithLab('the offline lab reports', () => {
  test('the failed assertion of a VM test', async () => {
    const edit = (workdir: string) => replaceIn(join(workdir, 'spa/index.html'), '<div id="root"', '<div id="app"')
    expect(await failure(edit, 'checks.x86_64-linux.spa-vm')).toContain('AssertionError: the shell has no root element')
  }, 120_000)

  test('a new store path for an edited SPA after the flake is locked again', async () => {
    const workdir = await makeWorkdir()
    const before = await lab(workdir, 'nix', ['eval', '--raw', '.#spa.outPath'])
    replaceIn(join(workdir, 'spa/index.html'), 'The app', 'Another app')
    await lock(workdir)
    const after = await lab(workdir, 'nix', ['eval', '--raw', '.#spa.outPath'])
    expect(before.stdout).toMatch(/^\/nix\/store\//)
    expect(after.stdout).not.toBe(before.stdout)
  })

  test('a failed unit in a VM test', async () => {
    const log = await failure(
      addToProfile('services.nginx.appendHttpConfig = "nonsense;";'),
      'checks.x86_64-linux.spa-vm',
    )
    expect(log).toContain('unit "nginx.service" reached state "failed"')
    expect(log).toContain('unknown directive "nonsense"')
  }, 120_000)

  test('Perl in a closure that bans it', async () => {
    const log = await failure(addToProfile('environment.systemPackages = [ pkgs.perl ];'))
    expect(log).toMatch(
      /System closure \/nix\/store\/\S+-nixos-system-spa-ami-\S+ contains the following disallowed paths:\n.*\/nix\/store\/\S+-perl-/,
    )
  })

  test('a failed assertion of a module', async () => {
    const log = await failure((workdir) => {
      replaceIn(join(workdir, profile), 'port = 80;', 'port = 22;')
      addToProfile('services.openssh.enable = true;')(workdir)
    })
    expect(log).toMatch(
      /Failed assertions:\s+- services\.spa-app\.port is 22, which sshd already uses\. Choose another port\./,
    )
  })

  test('a value of the wrong type', async () => {
    const log = await failure((workdir) => replaceIn(join(workdir, profile), 'port = 80;', 'port = "eighty";'))
    expect(log).toContain("A definition for option `services.spa-app.port' is not of type")
    expect(log).toMatch(/In `\S*nixos\/profiles\/spa-machine\.nix'/)
  })

  test('an option that does not exist', async () => {
    const log = await failure(addToProfile('services.spa-app.prot = 80;'))
    expect(log).toContain("The option `services.spa-app.prot' does not exist. Definition values:")
    expect(log).toMatch(/In `\S*nixos\/profiles\/spa-machine\.nix'/)
  })

  test('an image without a boot loader as a warning', async () => {
    const workdir = await makeWorkdir((dir) =>
      replaceIn(join(dir, 'configurations/spa-ami.nix'), 'boot.loader.systemd-boot.enable = true;', ''),
    )
    const { exitCode, all } = await lab(workdir, 'nix', ['build', '--no-link', '.#spa-ami'])
    expect(exitCode, all as string).toBe(0)
    expect(await logOf(workdir, 'spa-ami')).toContain(
      'Warning: do not know how to make this configuration bootable; please enable a boot loader.',
    )
  })
})
