# Settings for all machines on Amazon EC2.
{ config, lib, ... }:
let
  inherit (lib) mkIf mkOption types;
  cfg = config.ec2;
in
{
  imports = [ ../profiles/headless.nix ];

  options = {
    ec2.efi = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the machine boots with UEFI.";
    };
    virtualisation.amazon-init.enable = mkOption {
      type = types.bool;
      default = true;
      description = "No effect: the lab does not rebuild from user data.";
    };
  };

  config = {
    services.amazon-ssm-agent.enable = true;
    services.openssh.enable = true;
    networking.hostName = lib.mkDefault "";
    boot.growPartition = true;
    boot.kernelParams = [ "console=ttyS0,115200n8" ];
    boot.loader.timeout = 1;
    boot.loader.grub = {
      device = if cfg.efi then "nodev" else "/dev/xvda";
      efiSupport = cfg.efi;
      efiInstallAsRemovable = cfg.efi;
    };
    fileSystems."/" = {
      device = "/dev/disk/by-label/nixos";
      fsType = "ext4";
      autoResize = true;
    };
    fileSystems."/boot" = mkIf cfg.efi {
      device = "/dev/disk/by-label/ESP";
      fsType = "vfat";
    };
  };
}
