# A server of the Hetzner Cloud, installed over SSH by nixos-anywhere.
{ lib, inputs, ... }:
{
  # #region imports
  imports = [
    inputs.disko.nixosModules.disko
    inputs.srvos.nixosModules.hardware-hetzner-cloud
    inputs.self.nixosModules.profile-spa-machine
  ];

  networking.hostName = "spa-hetzner";
  # #endregion imports

  # #region disk
  disko.devices.disk.main = {
    type = "disk";
    device = "/dev/sda";
    content = {
      type = "gpt";
      partitions.boot = {
        size = "1M";
        type = "EF02"; # where GRUB keeps itself
      };
      partitions.root = {
        size = "100%";
        content = {
          type = "filesystem";
          format = "ext4";
          mountpoint = "/";
        };
      };
    };
  };
  # #endregion disk

  # #region boot
  # The cloud's machines boot by BIOS, so GRUB it is, and the perl of its
  # installer: the one target where the ban is lifted. disko tells GRUB the
  # disk.
  boot.loader.grub.enable = true;
  system.forbiddenDependenciesRegexes = lib.mkForce [ ];
  # #endregion boot

  # #region network
  # srvos turns DHCP off and leaves the network to cloud-init; the uplink
  # alone needs none of that.
  services.cloud-init.enable = false;
  systemd.network.networks."10-uplink" = {
    matchConfig.Name = "en* eth*";
    networkConfig.DHCP = "yes";
  };

  services.openssh.enable = true;
  users.users.root.openssh.authorizedKeys.keys = [
    # "ssh-ed25519 AAAA… you@example.org": nobody gets in without a key
  ];
  # #endregion network

  # #region test
  # What `nixos-anywhere --vm-test` asks the machine that it has installed.
  disko.tests.extraChecks = ''
    machine.wait_for_unit("nginx.service")
    machine.wait_for_open_port(80)
    page = machine.succeed("curl --silent --fail http://localhost/")
    assert '<div id="root"' in page, "the shell has no root element"
  '';
  # #endregion test
}
