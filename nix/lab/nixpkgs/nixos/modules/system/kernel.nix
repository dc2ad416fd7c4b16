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
      # toString true is "1", but toString false is "".
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
      description = "The kernel package. The lab has only one.";
    };
    kernelParams = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Parameters on the kernel command line.";
    };
    kernelModules = moduleNames "Modules to load in stage 2.";
    extraModulePackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "No effect in the lab.";
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
      description = "Kernel parameters to set with sysctl.";
    };
    consoleLogLevel = mkOption {
      type = types.int;
      default = 4;
      description = "Kernel messages below this level appear on the console.";
    };
    initrd = {
      availableKernelModules = moduleNames "Modules that stage 1 loads if the hardware exists.";
      kernelModules = moduleNames "Modules that stage 1 always loads.";
      supportedFilesystems = mkOption {
        type = types.either (types.listOf types.str) (types.attrsOf types.bool);
        default = [ ];
        description = "No effect in the lab.";
      };
      systemd.enable = mkOption {
        type = types.bool;
        default = false;
        description = "No effect: the lab's stage 1 is a shell script.";
      };
    };
    supportedFilesystems = mkOption {
      type = types.either (types.listOf types.str) (types.attrsOf types.bool);
      default = [ ];
      description = "No effect in the lab.";
    };
  };

  config = {
    boot.kernelParams = [ "loglevel=${toString config.boot.consoleLogLevel}" ];

    # Drivers for the devices of all virtual machines that the lab can boot.
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
