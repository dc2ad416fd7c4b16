# Boots the profile in a VM and asks nginx for what the SPA promises.
{ pkgs, inputs }:
# #region test
pkgs.testers.runNixOSTest {
  name = "spa-vm";

  # As in flake.nix: the profile is wired the way the machines are.
  node.specialArgs = { inherit inputs; };

  nodes.machine =
    { pkgs, ... }:
    {
      imports = [ inputs.self.nixosModules.profile-spa-machine ];
      networking.hostName = "machine"; # the test driver knows it by this
      environment.systemPackages = [ pkgs.curlMinimal ];
    };
  # #endregion test

  # #region script
  testScript = ''
    machine.wait_for_unit("nginx.service")
    machine.wait_for_open_port(80)

    page = machine.succeed("curl --silent --fail http://localhost/")
    assert '<div id="root"' in page, "the shell has no root element"

    with subtest("a client-side route gets the shell"):
        route = machine.succeed("curl -sf http://localhost/machine")
        assert route == page

    with subtest("a missing asset is an error"):
        machine.fail("curl --silent --fail http://localhost/assets/no.js")
  '' + builtins.readFile ./headers-and-restart.py;
  # #endregion script
}
