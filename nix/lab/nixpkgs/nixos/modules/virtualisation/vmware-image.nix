# Builds an image for VMware.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (config.system.nixos) label;
  inherit (pkgs.stdenv.hostPlatform) system;
in
{
  config = {
    image.baseName = lib.mkOverride 999 "nixos-vmware-${label}-${system}";
    image.extension = "vmdk";
    fileSystems."/" = {
      device = "/dev/disk/by-label/nixos";
      fsType = "ext4";
      autoResize = true;
    };
    fileSystems."/boot" = {
      device = "/dev/disk/by-label/ESP";
      fsType = "vfat";
    };
    boot.growPartition = true;
    boot.loader.grub = {
      device = "nodev";
      efiSupport = true;
      efiInstallAsRemovable = true;
    };
    system.build.image = import ../../lib/make-disk-image.nix {
      inherit config lib pkgs;
      format = "vmdk";
      efi = true;
    };
  };
}
