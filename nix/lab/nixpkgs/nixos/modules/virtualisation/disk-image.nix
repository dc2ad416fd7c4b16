# Builds a disk image for QEMU, or a raw image.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.image;
in
{
  options.image = {
    format = mkOption {
      type = types.enum [
        "qcow2"
        "raw"
      ];
      default = "qcow2";
      description = "The format of the image.";
    };
    efiSupport = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the image boots with UEFI.";
    };
  };

  config = {
    image.extension = if cfg.format == "raw" then "img" else cfg.format;
    boot.kernelParams = [ "console=ttyS0" ];
    fileSystems = {
      "/" = {
        device = "/dev/disk/by-label/nixos";
        fsType = "ext4";
        autoResize = true;
      };
      "/boot" = lib.mkIf cfg.efiSupport {
        device = "/dev/disk/by-label/ESP";
        fsType = "vfat";
      };
    };
    system.build.image = import ../../lib/make-disk-image.nix {
      inherit config lib pkgs;
      inherit (cfg) format;
      efi = cfg.efiSupport;
    };
  };
}
