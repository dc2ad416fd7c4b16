# Disables the documentation and the default packages.
{ lib, ... }:
let
  inherit (lib) mkDefault;
in
{
  documentation = {
    enable = mkDefault false;
    doc.enable = mkDefault false;
    info.enable = mkDefault false;
    man.enable = mkDefault false;
    nixos.enable = mkDefault false;
  };
  environment.defaultPackages = mkDefault [ ];
  services.logrotate.enable = mkDefault false;
  services.udisks2.enable = mkDefault false;
}
