# The image for Amazon EC2.
{
  lib,
  modulesPath,
  inputs,
  ...
}:
{
  # #region ami
  imports = [
    (modulesPath + "/../maintainers/scripts/ec2/amazon-image.nix")
    inputs.self.nixosModules.profile-spa-machine
  ];

  image.baseName = "spa-vm";
  networking.hostName = "spa-ami";

  # perlless.nix turns GRUB off: boot by UEFI, without perl.
  ec2.efi = true;
  boot.loader.systemd-boot.enable = true;

  # No agent that nobody asked for, no rebuild from user data.
  services.amazon-ssm-agent.enable = lib.mkForce false;
  virtualisation.amazon-init.enable = false;
  # #endregion ami
}
