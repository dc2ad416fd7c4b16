# What the slides call, besides Nix: `nix develop`.
{ pkgs }:
pkgs.mkShellNoCC {
  packages = [
    pkgs.curl
    pkgs.hcloud
    pkgs.nixos-anywhere
    pkgs.qemu_kvm # the same one that `nix run .#run-vm` uses

    # The package is for use beside an older one, so its program has had
    # another name.
    (pkgs.writeShellScriptBin "nixos-rebuild" ''
      exec ${pkgs.lib.getExe pkgs.nixos-rebuild-ng} "$@"
    '')
  ];
}
