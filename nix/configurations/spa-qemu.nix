# The local VM. Other image formats are built from this configuration, too.
{ lib, inputs, ... }:
{
  imports = [ inputs.self.nixosModules.profile-spa-machine ];

  # #region vm
  # Only for `nix run .#run-vm`: images built from this configuration,
  # for example for VMware, do not have these settings.
  virtualisation.vmVariant = {
    users.users.root.initialPassword = "demo1234"; # INSECURE, a demo

    virtualisation = {
      memorySize = 1024;
      graphics = false; # console in the terminal, Ctrl-a x quits
      diskImage = null; # nothing is kept between runs
      forwardPorts = [
        {
          from = "host";
          host.address = "127.0.0.1";
          host.port = 8080;
          guest.port = 80;
        }
      ];
    };
  };
  # #endregion vm

  # #region image
  # Defaults: image formats override them.
  fileSystems."/" = lib.mkDefault {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  # perlless.nix disables GRUB because its installer is written in Perl.
  boot.loader.systemd-boot.enable = lib.mkDefault true;
  # #endregion image
}
