# Provides the module argument `pkgs`.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.nixpkgs;

  platform =
    if cfg.hostPlatform != null then
      cfg.hostPlatform
    else
      throw ''
        The platform of this configuration is not set. Set nixpkgs.hostPlatform, or
        pass the argument `system` to nixosSystem.
      '';
  packages = import ../../../pkgs {
    inherit lib;
    system = platform.system or platform;
  };
  final = lib.foldl (pkgs: overlay: pkgs // overlay final pkgs) packages cfg.overlays;
in
{
  options.nixpkgs = {
    hostPlatform = mkOption {
      type = types.nullOr (types.either types.str types.attrs);
      default = null;
      description = "The platform the configuration runs on.";
    };
    overlays = mkOption {
      type = types.listOf types.raw;
      default = [ ];
      description = "Functions that change the package set: final: prev: { … }.";
    };
    config = mkOption {
      type = types.attrs;
      default = { };
      description = "No effect: the lab has no unfree packages.";
    };
    flake = {
      source = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "No effect: the lab's systems do not contain the source of nixpkgs.";
      };
      setFlakeRegistry = mkOption {
        type = types.bool;
        default = cfg.flake.source != null;
        description = "No effect, see `source`.";
      };
      setNixPath = mkOption {
        type = types.bool;
        default = cfg.flake.source != null;
        description = "No effect, see `source`.";
      };
    };
  };

  config._module.args.pkgs = lib.mkDefault final;
}
