{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  # The content of a partition. The lab supports only file systems.
  filesystem.options = {
    type = mkOption {
      type = types.enum [ "filesystem" ];
      description = "The type of content.";
    };
    format = mkOption {
      type = types.enum [
        "ext4"
        "vfat"
      ];
      description = "The file system type.";
    };
    mountpoint = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The mount point.";
    };
    mountOptions = mkOption {
      type = types.listOf types.str;
      default = [ "defaults" ];
      description = "The mount options.";
    };
    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Additional arguments for mkfs.";
    };
  };

  partition =
    { config, ... }:
    {
      options = partitionOptions config;
    };
  partitionOptions = config: {
    size = mkOption {
      type = types.strMatching "[0-9]+[KMGTP]?|100%";
      description = "The size, or 100% for the rest of the disk.";
    };
    type = mkOption {
      type = types.str;
      default = "8300";
      description = "The partition type: EF00 for UEFI, EF02 for GRUB, 8300 for Linux.";
    };
    priority = mkOption {
      type = types.int;
      default =
        if config.size == "100%" then
          9001
        else if config.type == "EF02" then
          100
        else
          1000;
      description = "Partitions with lower numbers come first.";
    };
    content = mkOption {
      type = types.nullOr (types.submodule filesystem);
      default = null;
      description = "The content.";
    };
  };

  gpt.options = {
    type = mkOption {
      type = types.enum [ "gpt" ];
      description = "The type of partition table.";
    };
    partitions = mkOption {
      type = types.attrsOf (types.submodule partition);
      default = { };
      description = "The partitions.";
    };
  };

  disk.options = {
    type = mkOption {
      type = types.enum [ "disk" ];
      default = "disk";
      description = "The type of device.";
    };
    device = mkOption {
      type = types.str;
      description = "The device, for example /dev/sda.";
    };
    content = mkOption {
      type = types.nullOr (types.submodule gpt);
      default = null;
      description = "The content.";
    };
  };

  # All partitions, in their order on the disks, with the same labels as in the
  # real disko.
  partitions = lib.concatLists (
    lib.mapAttrsToList (
      disk: d:
      lib.optionals (d.content != null) (
        lib.imap1 (number: entry: entry // { inherit number; }) (
          lib.sort (a: b: a.partition.priority < b.partition.priority) (
            lib.mapAttrsToList (name: p: {
              inherit (d) device;
              label = "disk-${disk}-${name}";
              partition = p;
            }) d.content.partitions
          )
        )
      )
    ) config.disko.devices.disk
  );
  mounted = builtins.filter (
    p: p.partition.content != null && p.partition.content.mountpoint != null
  ) partitions;
in
{
  imports = [ ./install-test.nix ];

  options.disko = {
    devices.disk = mkOption {
      type = types.attrsOf (types.submodule disk);
      default = { };
      description = "The disks.";
    };
    tests = {
      efi = mkOption {
        type = types.bool;
        default = config.boot.loader.systemd-boot.enable || config.boot.loader.grub.efiSupport;
        description = "Whether the installed machine of the install test boots with UEFI.";
      };
      bootCommands = mkOption {
        type = types.lines;
        default = "";
        description = "Python code that runs when that machine has been started.";
      };
      extraChecks = mkOption {
        type = types.lines;
        default = "";
        description = "Python code that runs when that machine has booted.";
      };
      extraConfig = mkOption {
        type = types.deferredModule;
        default = { };
        description = "Additional configuration for the install test.";
      };
    };
  };

  config = {
    system.build.diskoScript = import ./script.nix { inherit lib pkgs partitions; };

    fileSystems = builtins.listToAttrs (
      map (p: {
        name = p.partition.content.mountpoint;
        value = {
          device = "/dev/disk/by-partlabel/${p.label}";
          fsType = p.partition.content.format;
          options = p.partition.content.mountOptions;
        };
      }) mounted
    );
    boot.loader.grub.devices = map (p: p.device) (
      builtins.filter (p: p.partition.type == "EF02") partitions
    );
  };
}
