# A small replacement for nixpkgs: the packages, options and messages that the
# talk and its tasks use. The packages are built from Debian packages.
{
  description = "The offline lab's nixpkgs";

  outputs =
    { self }:
    let
      lib = (import ./lib).extend (
        final: _: {
          nixosSystem = args: import ./nixos/lib/eval-config.nix ({ lib = final; } // args);
        }
      );
    in
    {
      inherit lib;

      # Packages build on x86_64-linux only. They evaluate on the other platforms,
      # so that `nix flake check` can evaluate all outputs of a flake.
      legacyPackages = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ] (system: import ./pkgs { inherit lib system; });
    };
}
