# A stand-in for nixpkgs: the names, options and wordings that the talk and
# its exercises use, over packages made from Debian's.
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

      # Everything is built on x86_64-linux. The other platforms evaluate,
      # so that `nix flake check` can look at all outputs of a flake.
      legacyPackages = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ] (system: import ./pkgs { inherit lib system; });
    };
}
