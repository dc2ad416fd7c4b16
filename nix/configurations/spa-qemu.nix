# The local VM, and what the other image formats are built from.
{ lib, inputs, ... }:
{
  imports = [ inputs.self.nixosModules.profile-spa-machine ];

  # #region vm
  # Only what `nix run .#run-vm` boots has these: an image made from this
  # configuration, for VMware say, has neither the mounts nor the password.
  virtualisation.vmVariant = {
    users.users.root.initialPassword = "demo1234"; # INSECURE, a demo

    virtualisation = {
      memorySize = 1024;
      graphics = false; # the console is the terminal, Ctrl-a x quits
      diskImage = null; # a fresh machine each time
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
  # Image formats bring their own: these are weak, so they give way.
  fileSystems."/" = lib.mkDefault {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  # perlless.nix turns GRUB off, since its installer is written in perl.
  boot.loader.systemd-boot.enable = lib.mkDefault true;
  # #endregion image
}
