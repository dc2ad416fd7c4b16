# The kernel, its parameters and its modules.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  moduleNames =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };

  sysctl =
    name: value:
    let
      # true is 1 for toString, but false is the empty string.
      word = if value == false then "0" else toString value;
    in
    lib.optionalString (value != null) ''
      sysctl -q -w ${name}=${lib.escapeShellArg word}
    '';
in
{
  options.boot = {
    kernelPackages = mkOption {
      type = types.raw;
      default = {
        kernel = pkgs.linux;
      };
      description = "The kernel; the lab has one.";
    };
    kernelParams = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Words for the kernel's command line.";
    };
    kernelModules = moduleNames "Modules loaded while the system starts.";
    extraModulePackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Without effect in the lab.";
    };
    kernel.sysctl = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.bool
            types.int
            types.str
          ]
        )
      );
      default = { };
      description = "Values for /proc/sys.";
    };
    consoleLogLevel = mkOption {
      type = types.int;
      default = 4;
      description = "Which messages of the kernel reach the console.";
    };
    initrd = {
      availableKernelModules = moduleNames "Modules that stage 1 loads for hardware that is there.";
      kernelModules = moduleNames "Modules that stage 1 loads in any case.";
      supportedFilesystems = mkOption {
        type = types.either (types.listOf types.str) (types.attrsOf types.bool);
        default = [ ];
        description = "Without effect in the lab.";
      };
      systemd.enable = mkOption {
        type = types.bool;
        default = false;
        description = "Without effect: stage 1 of the lab is a script.";
      };
    };
    supportedFilesystems = mkOption {
      type = types.either (types.listOf types.str) (types.attrsOf types.bool);
      default = [ ];
      description = "Without effect in the lab.";
    };
  };

  config = {
    boot.kernelParams = [ "loglevel=${toString config.boot.consoleLogLevel}" ];

    # What the virtual machines that the lab can boot have built in.
    boot.initrd.availableKernelModules = [
      "ata_piix"
      "sd_mod"
      "virtio_blk"
      "virtio_console"
      "virtio_net"
      "virtio_pci"
      "virtio_scsi"
    ];

    system.activationScripts.kernel = ''
      ln -sfn $systemConfig/kernel-modules/lib/modules /lib/modules
      echo ${pkgs.busybox}/bin/modprobe > /proc/sys/kernel/modprobe
      ${lib.concatMapStrings (module: ''
        modprobe ${module}
      '') (lib.unique config.boot.kernelModules)}
      ${lib.concatStrings (lib.mapAttrsToList sysctl config.boot.kernel.sysctl)}
    '';
  };
}
