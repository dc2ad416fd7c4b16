# Boots the profile in a VM and tests the responses of nginx.
{ pkgs, inputs }:
# #region test
pkgs.testers.runNixOSTest {
  name = "spa-vm";

  # The same arguments as in flake.nix.
  node.specialArgs = { inherit inputs; };

  nodes.machine =
    { pkgs, ... }:
    {
      imports = [ inputs.self.nixosModules.profile-spa-machine ];
      networking.hostName = "machine"; # its name in the script
      environment.systemPackages = [ pkgs.curlMinimal ];
    };
  # #endregion test

  # #region script
  testScript = ''
    machine.wait_for_unit("nginx.service")
    machine.wait_for_open_port(80)

    page = machine.succeed("curl --silent --fail http://localhost/")
    assert '<div id="root"' in page, "the shell has no root element"

    with subtest("a client-side route returns the shell"):
        route = machine.succeed("curl -sf http://localhost/machine")
        assert route == page

    with subtest("a missing asset is an error"):
        machine.fail("curl --silent --fail http://localhost/assets/no.js")
  '' + builtins.readFile ./headers-and-restart.py;
  # #endregion script
}
