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
      forAllDesks = nixpkgs.lib.genAttrs (systems ++ [ mac ]);
      mac = "aarch64-darwin";

      # #region machine
      # A machine is one configuration on one platform. The modules get `inputs`
      # as an argument, so that `imports` can use it.
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
          spa-oci = inputs.spa.packages.${system}.oci;
        }
      )
      # #endregion packages
      # #region mac
      # A Mac runs the guest for ARM, started by its own QEMU and shell.
      // {
        ${mac}.run-vm =
          (machine "aarch64-linux" {
            imports = [ ./configurations/spa-qemu.nix ];
            virtualisation.vmVariant.virtualisation.host.pkgs = nixpkgs.legacyPackages.${mac};
          }).config.system.build.vm;
      };
      # #endregion mac

      # #region checks
      checks = forAllSystems (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        {
          spa-vm = import ./tests/spa-vm-test.nix { inherit pkgs inputs; };
          # Takes no VM, only an evaluation.
          promises = import ./tests/promises.nix { inherit pkgs inputs; };
        }
      );
      # #endregion checks

      # #region desk
      # `nix develop`: the programs that the slides call. `nix fmt`: the files
      # as narrow as a slide.
      devShells = forAllDesks (system: {
        default = import ./shell.nix { pkgs = nixpkgs.legacyPackages.${system}; };
      });
      formatter = forAllDesks (
        system:
        nixpkgs.legacyPackages.${system}.nixfmt-tree.override {
          settings.formatter.nixfmt.options = [ "--width=72" ];
        }
      );
      # #endregion desk
    };
}
