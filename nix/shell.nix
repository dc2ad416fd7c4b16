# The development shell (`nix develop`): the programs that the slides run, besides Nix.
{ pkgs }:
pkgs.mkShellNoCC {
  packages = [
    pkgs.curl
    pkgs.hcloud
    pkgs.nixos-anywhere
    pkgs.qemu_kvm # the package that `nix run .#run-vm` uses, too

    # The program of nixos-rebuild-ng has had another name, so that it could be
    # installed together with its predecessor.
    (pkgs.writeShellScriptBin "nixos-rebuild" ''
      exec ${pkgs.lib.getExe pkgs.nixos-rebuild-ng} "$@"
    '')
  ];
}
