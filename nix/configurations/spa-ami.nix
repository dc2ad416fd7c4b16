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

  # perlless.nix disables GRUB: boot with UEFI, without Perl.
  ec2.efi = true;
  boot.loader.systemd-boot.enable = true;

  # No remote agent, and no rebuild from the instance's user data.
  services.amazon-ssm-agent.enable = lib.mkForce false;
  virtualisation.amazon-init.enable = false;
  # #endregion ami
}
