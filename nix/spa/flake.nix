{
  description = "The sample app of the talk: a single-page application (SPA)";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      linux = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forAll = lib.genAttrs (linux ++ [ "aarch64-darwin" ]);
    in
    {
      # #region packages
      packages = forAll (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
          spa = pkgs.callPackage ./package.nix { };
        in
        {
          default = spa;
        }
        // lib.optionalAttrs (lib.elem system linux) {
          oci = pkgs.callPackage ./image.nix { inherit spa; };
        }
      );
      # #endregion packages
    };
}
