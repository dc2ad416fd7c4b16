
# Continues the script of spa-vm-test.nix, which sets `page` to the app shell.
with subtest("browsers cache the assets and revalidate the shell"):
    shell = machine.succeed("curl --silent --fail --head http://localhost/")
    assert "Cache-Control: no-cache" in shell, shell
    script = page.split('src="')[1].split('"')[0]
    asset = machine.succeed(f"curl -sf --head http://localhost{script}")
    assert "max-age=31536000, immutable" in asset, asset

with subtest("responses are compressed on request"):
    packed = machine.succeed(
        "curl -sf --header 'Accept-Encoding: gzip'"
        " --dump-header - --output /dev/null http://localhost/"
    )
    assert "Content-Encoding: gzip" in packed, packed

with subtest("the app is served over IPv6"):
    machine.succeed("curl -sf 'http://[::1]/'")

with subtest("files outside the app are not served"):
    machine.fail("curl -sf --path-as-is http://localhost/../etc/passwd")

with subtest("the app is served again after a shutdown"):
    boot = machine.succeed("cat /proc/sys/kernel/random/boot_id")
    machine.shutdown()
    machine.start()
    machine.wait_for_unit("nginx.service")
    machine.wait_for_open_port(80)
    assert machine.succeed("cat /proc/sys/kernel/random/boot_id") != boot
    assert machine.succeed("curl -sf http://localhost/") == page
