# The profile that all targets share: the VM, the AMI and the server.
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
    # Bans Perl from the closure: system.forbiddenDependenciesRegexes.
    (modulesPath + "/profiles/perlless.nix")
    ../services/spa.nix
  ];
  # #endregion imports

  # #region machine
  # Overrides the default of an image, but not a plain value.
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
  # By default, a system built from a flake contains the nixpkgs source
  # (200 MB) for `nix run nixpkgs#…`, which this machine does not need.
  nixpkgs.flake.setFlakeRegistry = false;
  nixpkgs.flake.setNixPath = false;
  # #endregion closure
}
