# Boot loaders. Which one an image gets is decided by these options, as on
# NixOS; lib/make-disk-image.nix installs it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.boot.loader;

  bool =
    default: description:
    mkOption {
      type = types.bool;
      inherit default description;
    };

  # NixOS installs GRUB by a script in perl, which so becomes part of the
  # system. The lab's scripts only say what would be done.
  installGrub = pkgs.writeScript "install-grub.sh" ''
    #!${pkgs.bash}/bin/bash
    exec ${lib.getExe pkgs.perl} -e 'print "The lab does not install GRUB.\n"'
  '';
  installSystemdBoot = pkgs.writeScript "install-systemd-boot.sh" ''
    #!${pkgs.bash}/bin/bash
    echo "systemd-boot is on ${cfg.efi.efiSysMountPoint} since the image was built."
  '';
  installNothing = pkgs.writeScript "no-boot-loader.sh" ''
    #!${pkgs.bash}/bin/bash
    echo 'Warning: do not know how to make this configuration bootable; please enable a boot loader.' 1>&2
  '';
in
{
  options.boot.loader = {
    timeout = mkOption {
      type = types.nullOr types.int;
      default = 5;
      description = "How many seconds the menu waits.";
    };
    efi.canTouchEfiVariables = bool false "Without effect in the lab.";
    efi.efiSysMountPoint = mkOption {
      type = types.str;
      default = "/boot";
      description = "Where the EFI system partition is mounted.";
    };
    systemd-boot = {
      enable = bool false "Whether to boot by systemd-boot.";
      configurationLimit = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "Without effect: an image has one generation.";
      };
    };
    grub = {
      enable = bool true "Whether to boot by GRUB.";
      device = mkOption {
        type = types.str;
        default = "";
        description = "The disk GRUB is installed on.";
      };
      devices = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "The disks GRUB is installed on.";
      };
      efiSupport = bool false "Whether GRUB boots by UEFI.";
      efiInstallAsRemovable = bool false "Whether firmware finds it without a variable.";
      extraConfig = mkOption {
        type = types.lines;
        default = "";
        description = "Further lines of its configuration.";
      };
    };
  };

  config = {
    boot.loader.grub.devices = lib.optional (cfg.grub.device != "") cfg.grub.device;

    system.build.installBootLoader =
      if cfg.systemd-boot.enable then
        installSystemdBoot
      else if cfg.grub.enable then
        installGrub
      else
        installNothing;

    assertions = [
      {
        assertion = cfg.grub.enable -> cfg.grub.devices != [ ];
        message =
          "You must set the option ‘boot.loader.grub.devices’ or "
          + "'boot.loader.grub.mirroredBoots' to make the system bootable.";
      }
      {
        assertion = lib.unique cfg.grub.devices == cfg.grub.devices;
        message = "You cannot have duplicated devices in mirroredBoots";
      }
    ];
  };
}
