# Units. Their files have the same format as on NixOS; pkgs/systemd runs them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  strings =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };
  script =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
  settings =
    description:
    mkOption {
      type = types.attrsOf types.unspecified;
      default = { };
      inherit description;
    };

  unitScript = name: text: toString (pkgs.writeShellScript "unit-script-${name}" "set -e\n${text}");

  service =
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the unit exists.";
        };
        description = mkOption {
          type = types.str;
          default = "";
          description = "The description in `systemctl status`.";
        };
        wantedBy = strings "Units that start this one. The lab supports only multi-user.target.";
        requiredBy = strings "Same as wantedBy.";
        after = strings "Units that must start before this one.";
        before = strings "No effect in the lab.";
        wants = strings "No effect in the lab.";
        requires = strings "No effect in the lab.";
        bindsTo = strings "No effect in the lab.";
        path = mkOption {
          type = types.listOf (types.either types.package types.str);
          default = [ ];
          description = "Packages to add to PATH.";
        };
        environment = mkOption {
          type = types.attrsOf (types.nullOr (types.either types.str types.path));
          default = { };
          description = "Environment variables.";
        };
        script = script "The shell script to run.";
        preStart = script "Shell script to run before the service starts.";
        reload = script "No effect in the lab.";
        serviceConfig = settings "The [Service] section.";
        unitConfig = settings "The [Unit] section.";
        restartIfChanged = mkOption {
          type = types.bool;
          default = true;
          description = "No effect in the lab.";
        };
        restartTriggers = mkOption {
          type = types.listOf types.unspecified;
          default = [ ];
          description = "No effect in the lab.";
        };
        startLimitIntervalSec = mkOption {
          type = types.int;
          default = 10;
          description = "No effect in the lab.";
        };
      };

      config = {
        environment.PATH = lib.makeBinPath (
          config.path
          ++ [
            pkgs.busybox
            pkgs.bash
          ]
        );
        serviceConfig = lib.mkMerge [
          (lib.mkIf (config.script != "") {
            ExecStart = unitScript "${name}-start" config.script;
          })
          (lib.mkIf (config.preStart != "") {
            ExecStartPre = [ (unitScript "${name}-pre-start" config.preStart) ];
          })
        ];
        unitConfig = {
          Description = lib.mkIf (config.description != "") config.description;
          After = lib.mkIf (config.after != [ ]) (toString config.after);
        };
      };
    };

  # One "Key=Value" line per value.
  section =
    name: values:
    let
      show = value: if builtins.isBool value then lib.boolToString value else toString value;
      lines = key: value: map (v: "${key}=${show v}\n") (lib.toList value);
    in
    "[${name}]\n" + lib.concatStrings (lib.concatLists (lib.mapAttrsToList lines values));

  unitFile =
    name: s:
    let
      variables = lib.filterAttrs (_: value: value != null) s.environment;
      Environment = lib.mapAttrsToList (name: value: "\"${name}=${value}\"") variables;
    in
    pkgs.writeText "unit-${name}.service" (
      section "Unit" s.unitConfig + "\n" + section "Service" ({ inherit Environment; } // s.serviceConfig)
    );

  enabled = lib.filterAttrs (_: s: s.enable) config.systemd.services;
  isWanted = s: builtins.elem "multi-user.target" (s.wantedBy ++ s.requiredBy);
  wanted = lib.filterAttrs (_: isWanted) enabled;
  links =
    directory:
    lib.mapAttrs' (
      name: s: lib.nameValuePair "${directory}/${name}.service" { source = unitFile name s; }
    );
in
{
  options.systemd = {
    package = mkOption {
      type = types.package;
      default = pkgs.systemd;
      description = "The package with the service manager.";
    };
    services = mkOption {
      type = types.attrsOf (types.submodule service);
      default = { };
      description = "The services.";
    };
    tmpfiles = mkOption {
      type = types.attrsOf types.unspecified;
      default = { };
      description = "No effect in the lab.";
    };
  };

  config.environment.etc = lib.mkMerge [
    (links "systemd/system" enabled)
    (links "systemd/system/multi-user.target.wants" wanted)
  ];
}
