# The file systems and their mount points.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  fileSystem =
    { name, ... }:
    {
      options = {
        mountPoint = mkOption {
          type = types.str;
          default = name;
          description = "The mount point.";
        };
        device = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "The device, for example /dev/disk/by-label/nixos.";
        };
        fsType = mkOption {
          type = types.str;
          default = "auto";
          description = "The file system type.";
        };
        options = mkOption {
          type = types.listOf types.str;
          default = [ "defaults" ];
          description = "The mount options.";
        };
        neededForBoot = mkOption {
          type = types.bool;
          default = false;
          description = "Whether stage 1 mounts the file system.";
        };
        autoResize = mkOption {
          type = types.bool;
          default = false;
          description = "No effect in the lab.";
        };
        autoFormat = mkOption {
          type = types.bool;
          default = false;
          description = "No effect in the lab.";
        };
      };
    };

  # As on NixOS, stage 1 mounts these. Parents come before children.
  isEarly =
    f:
    f.neededForBoot
    || builtins.elem f.mountPoint [
      "/"
      "/nix"
      "/nix/store"
      "/var"
    ];
  inOrder = lib.sort (a: b: a.mountPoint < b.mountPoint) (builtins.attrValues config.fileSystems);
in
{
  options.fileSystems = mkOption {
    type = types.attrsOf (types.submodule fileSystem);
    default = { };
    description = "The file systems.";
  };

  config = {
    system.build.fileSystems = {
      early = builtins.filter isEarly inOrder;
      late = builtins.filter (f: !isEarly f) inOrder;
    };

    assertions = [
      {
        assertion = config.fileSystems ? "/";
        message = "The ‘fileSystems’ option does not specify your root file system.";
      }
    ];
  };
}
