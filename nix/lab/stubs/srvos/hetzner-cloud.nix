{ lib, modulesPath, ... }:
{
  imports = [ (modulesPath + "/profiles/qemu-guest.nix") ];

  boot.growPartition = true;
  boot.loader.grub.device = "/dev/sda";
  fileSystems."/" = lib.mkDefault {
    device = "/dev/sda1";
    fsType = "ext4";
  };

  networking.useNetworkd = true;
  networking.useDHCP = false;
  services.cloud-init.enable = lib.mkDefault true;
  services.qemuGuest.enable = lib.mkDefault true;
}
