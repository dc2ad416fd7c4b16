
# Goes on where spa-vm-test.nix ends: `page` is the shell.
with subtest("browsers keep the assets, and always ask for the shell"):
    shell = machine.succeed("curl --silent --fail --head http://localhost/")
    assert "Cache-Control: no-cache" in shell, shell
    script = page.split('src="')[1].split('"')[0]
    asset = machine.succeed(f"curl -sf --head http://localhost{script}")
    assert "max-age=31536000, immutable" in asset, asset

with subtest("answers are compressed for those who ask"):
    packed = machine.succeed(
        "curl -sf --header 'Accept-Encoding: gzip'"
        " --dump-header - --output /dev/null http://localhost/"
    )
    assert "Content-Encoding: gzip" in packed, packed

with subtest("IPv6 is served as well"):
    machine.succeed("curl -sf 'http://[::1]/'")

with subtest("nothing but the app is given away"):
    machine.fail("curl -sf --path-as-is http://localhost/../etc/passwd")

with subtest("the machine serves again after it was off"):
    boot = machine.succeed("cat /proc/sys/kernel/random/boot_id")
    machine.shutdown()
    machine.start()
    machine.wait_for_unit("nginx.service")
    machine.wait_for_open_port(80)
    assert machine.succeed("cat /proc/sys/kernel/random/boot_id") != boot
    assert machine.succeed("curl -sf http://localhost/") == page
