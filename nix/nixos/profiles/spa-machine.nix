# The machine that every target is made of: a VM, an AMI, a server.
{
  lib,
  pkgs,
  modulesPath,
  inputs,
  ...
}:
let
  platform = pkgs.stdenv.hostPlatform.system;
in
{
  # #region imports
  imports = [
    (modulesPath + "/profiles/minimal.nix")
    # Bans perl from the closure: system.forbiddenDependenciesRegexes.
    (modulesPath + "/profiles/perlless.nix")
    ../services/spa.nix
  ];
  # #endregion imports

  # #region machine
  # Weaker than a plain value, stronger than the default of an image.
  networking.hostName = lib.mkOverride 900 "spa-vm";
  time.timeZone = "UTC";

  services.spa-app = {
    enable = true;
    package = inputs.spa.packages.${platform}.default;
    host = "spa.local";
    port = 80;
    openFirewall = true;
  };

  system.stateVersion = "26.05";
  # #endregion machine

  # #region closure
  # A system built from a flake keeps the sources of nixpkgs, some 200 MB,
  # for `nix run nixpkgs#…`. Nobody runs that here.
  nixpkgs.flake.setFlakeRegistry = false;
  nixpkgs.flake.setNixPath = false;
  # #endregion closure
}
