{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.system.nixos;
in
{
  options.system = {
    stateVersion = mkOption {
      type = types.str;
      default = cfg.release;
      description = "The release whose defaults for stateful data apply.";
    };
    nixos = {
      release = mkOption {
        type = types.str;
        default = "26.05";
        readOnly = true;
        description = "The NixOS release that the lab imitates.";
      };
      version = mkOption {
        type = types.str;
        default = "${cfg.release}.lab";
        description = "The full version.";
      };
      tags = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Prefixes of the label.";
      };
      label = mkOption {
        type = types.str;
        default = lib.concatStringsSep "-" (lib.sort (a: b: a < b) cfg.tags ++ [ cfg.version ]);
        description = "Identifies this system in boot menus and store paths.";
      };
    };
  };
}
