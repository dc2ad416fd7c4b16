# An image for VMware.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  config = {
    image.baseName = lib.mkOverride 999 "nixos-vmware-${config.system.nixos.label}-${pkgs.stdenv.hostPlatform.system}";
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
