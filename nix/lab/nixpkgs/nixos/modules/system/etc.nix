# The files in /etc.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  file =
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the file exists.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "The content.";
        };
        source = mkOption {
          type = types.path;
          description = "The file to link to.";
        };
        mode = mkOption {
          type = types.str;
          default = "symlink";
          description = "No effect: all files are links.";
        };
      };
      config.source = lib.mkIf (config.text != null) (
        lib.mkDefault (pkgs.writeText "etc-${baseNameOf name}" config.text)
      );
    };

  enabled = lib.filterAttrs (_: f: f.enable) config.environment.etc;
in
{
  options.environment.etc = mkOption {
    type = types.attrsOf (types.submodule file);
    default = { };
    description = "The files in /etc.";
  };

  config = {
    system.build.etc = pkgs.linkFarm "etc" (
      lib.mapAttrs' (name: f: lib.nameValuePair "etc/${name}" f.source) enabled
    );

    system.activationScripts.etc = ''
      mkdir -p /etc
      cp -rfs $systemConfig/etc/. /etc/
    '';
  };
}
