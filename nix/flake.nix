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
      mac = "aarch64-darwin";
      # The platforms that people work on.
      forAllWorkstations = nixpkgs.lib.genAttrs (systems ++ [ mac ]);

      # #region machine
      # Evaluates one configuration for one platform. `specialArgs` makes `inputs`
      # available to the `imports` of the modules.
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
      # On a Mac the guest is an ARM machine. QEMU and the start script are
      # built for the Mac.
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
          # Needs no VM, only an evaluation.
          promises = import ./tests/promises.nix { inherit pkgs inputs; };
        }
      );
      # #endregion checks

      # #region tools
      # `nix develop` provides the programs that the slides run. `nix fmt`
      # formats the files to the width of a slide.
      devShells = forAllWorkstations (system: {
        default = import ./shell.nix { pkgs = nixpkgs.legacyPackages.${system}; };
      });
      formatter = forAllWorkstations (
        system:
        nixpkgs.legacyPackages.${system}.nixfmt-tree.override {
          settings.formatter.nixfmt.options = [ "--width=72" ];
        }
      );
      # #endregion tools
    };
}
