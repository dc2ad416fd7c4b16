# The installed programs: /run/current-system/sw.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.environment;
in
{
  options = {
    environment.systemPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages installed for all users.";
    };
    environment.defaultPackages = mkOption {
      type = types.listOf types.package;
      default = [ pkgs.perl ];
      description = "Packages installed by default.";
    };
    environment.variables = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Environment variables of login shells.";
    };
    system.path = mkOption {
      type = types.package;
      internal = true;
      description = "All installed packages, joined in one directory.";
    };
    time.timeZone = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "No effect: the lab's machines use UTC.";
    };
  };

  config = {
    system.path = pkgs.symlinkJoin {
      name = "system-path";
      # Later packages override earlier ones.
      paths = [
        pkgs.busybox
        pkgs.bash
        pkgs.curl
        config.systemd.package
      ]
      ++ cfg.defaultPackages
      ++ cfg.systemPackages;
    };

    environment.etc.profile.text = ''
      export PATH=/run/current-system/sw/bin
      ${lib.concatStrings (
        lib.mapAttrsToList (name: value: ''
          export ${name}=${lib.escapeShellArg value}
        '') cfg.variables
      )}
      PS1='\n\[\e[1;31m\][\u@\h:\w]\$\[\e[0m\] '
    '';
  };
}
