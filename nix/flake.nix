{
  description = "Distributing apps on VMs and bare metal with NixOS";

  # #region inputs
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

    disko.url = "github:nix-community/disko";
    disko.inputs.nixpkgs.follows = "nixpkgs";

    srvos.url = "github:nix-community/srvos";
    srvos.inputs.nixpkgs.follows = "nixpkgs";

    spa.url = "path:./spa";
    spa.inputs.nixpkgs.follows = "nixpkgs";
  };
  # #endregion inputs

  outputs =
    { self, nixpkgs, ... }@inputs:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forAllSystems = nixpkgs.lib.genAttrs systems;

      # #region machine
      # A machine is one configuration file on one platform. The modules get
      # `inputs` as an argument, so that `imports` can use it.
      machine =
        system: configuration:
        nixpkgs.lib.nixosSystem {
          specialArgs = { inherit inputs; };
          modules = [
            configuration
            { nixpkgs.hostPlatform = system; }
          ];
        };
      # #endregion machine
    in
    {
      # #region modules
      nixosModules = {
        service-spa.imports = [ ./nixos/services/spa.nix ];
        profile-spa-machine.imports = [
          ./nixos/profiles/spa-machine.nix
        ];
      };
      # #endregion modules

      # #region configurations
      nixosConfigurations =
        builtins.mapAttrs (_: machine "x86_64-linux")
          {
            spa-vm = ./configurations/spa-qemu.nix;
            spa-ami = ./configurations/spa-ami.nix;
            spa-hetzner = ./configurations/spa-hetzner.nix;
          };
      # #endregion configurations

      # #region packages
      packages = forAllSystems (
        system:
        let
          build = file: (machine system file).config.system.build;
        in
        {
          run-vm = (build ./configurations/spa-qemu.nix).vm;
          spa-ami = (build ./configurations/spa-ami.nix).image;
          spa = inputs.spa.packages.${system}.default;
        }
      );
      # #endregion packages

      # #region checks
      checks = forAllSystems (system: {
        spa-vm = import ./tests/spa-vm-test.nix {
          pkgs = nixpkgs.legacyPackages.${system};
          inherit inputs;
        };
      });
      # #endregion checks
    };
}
