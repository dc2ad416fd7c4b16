# Boot loaders. As on NixOS, these options select the boot loader of an image.
# lib/make-disk-image.nix installs it.
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

  timeout = toString cfg.timeout;

  # The argument of each script is the system to boot. As on NixOS, the script
  # for GRUB is written in Perl, which makes Perl a part of the system.
  installGrub = pkgs.writeScript "install-grub.sh" ''
    #!${pkgs.bash}/bin/bash
    exec ${lib.getExe pkgs.perl} ${./install-grub.pl} ${pkgs.grub2} /boot "$1" "${timeout}" \
      ${lib.escapeShellArgs (lib.remove "nodev" cfg.grub.devices)}
  '';
  installSystemdBoot = pkgs.writeScript "install-systemd-boot.sh" ''
    #!${pkgs.bash}/bin/bash
    set -e
    PATH=${pkgs.busybox}/bin
    cd ${cfg.efi.efiSysMountPoint}
    mkdir -p EFI/BOOT EFI/systemd EFI/nixos loader/entries
    cp ${pkgs.systemd-boot}/systemd-bootx64.efi EFI/systemd/
    cp ${pkgs.systemd-boot}/systemd-bootx64.efi EFI/BOOT/BOOTX64.EFI
    cp "$1/kernel" EFI/nixos/bzImage.efi
    cp "$1/initrd" EFI/nixos/initrd.efi
    printf 'timeout %s\ndefault nixos-generation-1.conf\n' \
      ${if cfg.timeout == null then "menu-force" else timeout} > loader/loader.conf
    printf '%s\n' "title NixOS" "version Generation 1 NixOS $(cat "$1/nixos-version")" \
      "linux /EFI/nixos/bzImage.efi" "initrd /EFI/nixos/initrd.efi" \
      "options init=$1/init $(cat "$1/kernel-params")" > loader/entries/nixos-generation-1.conf
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
      description = "Timeout of the boot menu in seconds. If null, wait forever.";
    };
    efi.canTouchEfiVariables = bool false "No effect in the lab.";
    efi.efiSysMountPoint = mkOption {
      type = types.str;
      default = "/boot";
      description = "The mount point of the EFI system partition.";
    };
    systemd-boot = {
      enable = bool false "Whether to boot with systemd-boot.";
      configurationLimit = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "No effect: an image has only one generation.";
      };
    };
    grub = {
      enable = bool true "Whether to boot with GRUB.";
      device = mkOption {
        type = types.str;
        default = "";
        description = "The disk on which to install GRUB.";
      };
      devices = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "The disks on which to install GRUB.";
      };
      efiSupport = bool false "Whether GRUB boots with UEFI.";
      efiInstallAsRemovable = bool false "Whether to install GRUB where firmware finds it without an EFI variable.";
      extraConfig = mkOption {
        type = types.lines;
        default = "";
        description = "Additional lines of the configuration.";
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
