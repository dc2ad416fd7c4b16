# What is mounted where.
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
          description = "Where it is mounted.";
        };
        device = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Its device, /dev/disk/by-label/… for example.";
        };
        fsType = mkOption {
          type = types.str;
          default = "auto";
          description = "Its type.";
        };
        options = mkOption {
          type = types.listOf types.str;
          default = [ "defaults" ];
          description = "Options of mount.";
        };
        neededForBoot = mkOption {
          type = types.bool;
          default = false;
          description = "Whether stage 1 mounts it.";
        };
        autoResize = mkOption {
          type = types.bool;
          default = false;
          description = "Without effect in the lab.";
        };
        autoFormat = mkOption {
          type = types.bool;
          default = false;
          description = "Without effect in the lab.";
        };
      };
    };

  # As on NixOS: these are mounted in stage 1, and parents before children.
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
