# Where the module argument `pkgs` comes from.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.nixpkgs;

  platform =
    if cfg.hostPlatform != null then
      cfg.hostPlatform
    else
      throw ''
        Neither nixpkgs.hostPlatform nor the argument `system` of nixosSystem
        says which platform this configuration is for.
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
      description = "Functions of the final and the previous packages.";
    };
    config = mkOption {
      type = types.attrs;
      default = { };
      description = "Without effect: the lab has no unfree packages.";
    };
    flake = {
      source = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Without effect: the lab keeps no sources of nixpkgs.";
      };
      setFlakeRegistry = mkOption {
        type = types.bool;
        default = cfg.flake.source != null;
        description = "Without effect, like the source.";
      };
      setNixPath = mkOption {
        type = types.bool;
        default = cfg.flake.source != null;
        description = "Without effect, like the source.";
      };
    };
  };

  config._module.args.pkgs = lib.mkDefault final;
}
