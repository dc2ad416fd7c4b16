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
        type = "EF02"; # for GRUB itself
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
  # The cloud's machines boot with BIOS and need GRUB. Its installer is
  # written in Perl, so only this target lifts the ban on Perl. disko
  # tells GRUB which disk to use.
  boot.loader.grub.enable = true;
  system.forbiddenDependenciesRegexes = lib.mkForce [ ];
  # #endregion boot

  # #region network
  # srvos disables DHCP and leaves the network to cloud-init. The only
  # interface needs no more than DHCP.
  services.cloud-init.enable = false;
  systemd.network.networks."10-uplink" = {
    matchConfig.Name = "en* eth*";
    networkConfig.DHCP = "yes";
  };

  services.openssh.enable = true;
  users.users.root.openssh.authorizedKeys.keys = [
    # "ssh-ed25519 AAAA… you@example.org": login requires a key
  ];
  # #endregion network

  # #region test
  # `nixos-anywhere --vm-test` checks this on the installed machine.
  disko.tests.extraChecks = ''
    machine.wait_for_unit("nginx.service")
    machine.wait_for_open_port(80)
    page = machine.succeed("curl --silent --fail http://localhost/")
    assert '<div id="root"' in page, "the shell has no root element"
  '';
  # #endregion test
}
