# Removes Perl, and fails the build if the closure contains it.
{ lib, ... }:
let
  inherit (lib) mkDefault;
in
{
  boot.initrd.systemd.enable = mkDefault true;
  system.etc.overlay.enable = mkDefault true;
  services.userborn.enable = mkDefault true;

  # The installer of GRUB is written in Perl.
  boot.loader.grub.enable = mkDefault false;
  environment.defaultPackages = mkDefault [ ];

  system.forbiddenDependenciesRegexes = [ "perl" ];
}
