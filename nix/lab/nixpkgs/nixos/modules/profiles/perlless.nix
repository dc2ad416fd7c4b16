# No perl, and a check that there is none.
{ lib, ... }:
let
  inherit (lib) mkDefault;
in
{
  boot.initrd.systemd.enable = mkDefault true;
  system.etc.overlay.enable = mkDefault true;
  services.userborn.enable = mkDefault true;

  # Its installer is written in perl.
  boot.loader.grub.enable = mkDefault false;
  environment.defaultPackages = mkDefault [ ];

  system.forbiddenDependenciesRegexes = [ "perl" ];
}
