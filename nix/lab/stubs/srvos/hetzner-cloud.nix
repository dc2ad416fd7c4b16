# As srvos' nixos/hardware/hetzner-cloud and its mixin cloud-init.
{ lib, modulesPath, ... }:
{
  imports = [ (modulesPath + "/profiles/qemu-guest.nix") ];

  boot.growPartition = true;
  # A default: disko names the disk that it formats.
  boot.loader.grub.devices = lib.mkDefault [ "/dev/sda" ];
  fileSystems."/" = lib.mkDefault {
    device = "/dev/sda1";
    fsType = "ext4";
  };

  networking.useNetworkd = true;
  networking.useDHCP = false;
  # Weaker than mkDefault: cloud-init finds the name.
  networking.hostName = lib.mkOverride 1337 "";
  services.cloud-init.enable = lib.mkDefault true;
  services.cloud-init.network.enable = lib.mkDefault true;
  services.qemuGuest.enable = lib.mkDefault true;
}
