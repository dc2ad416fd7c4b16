# Same settings as nixos/hardware/hetzner-cloud and nixos/mixins/cloud-init in srvos.
{ lib, modulesPath, ... }:
{
  imports = [ (modulesPath + "/profiles/qemu-guest.nix") ];

  boot.growPartition = true;
  # A default, because disko overrides it.
  boot.loader.grub.devices = lib.mkDefault [ "/dev/sda" ];
  fileSystems."/" = lib.mkDefault {
    device = "/dev/sda1";
    fsType = "ext4";
  };

  networking.useNetworkd = true;
  networking.useDHCP = false;
  # Weaker than mkDefault. cloud-init sets the name.
  networking.hostName = lib.mkOverride 1337 "";
  services.cloud-init.enable = lib.mkDefault true;
  services.cloud-init.network.enable = lib.mkDefault true;
  services.qemuGuest.enable = lib.mkDefault true;
}
