# What the file of an image is called.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (config.system.nixos) label;
  inherit (pkgs.stdenv.hostPlatform) system;
  cfg = config.image;

  string =
    default: description:
    mkOption {
      type = types.str;
      inherit default description;
    };
in
{
  options.image = {
    baseName = string "nixos-image-${label}-${system}" "Its name without extension.";
    extension = string "img" "Its extension.";
    fileName = string "${cfg.baseName}.${cfg.extension}" "Its name.";
    filePath = string cfg.fileName "Its path in the store path of the image.";
  };
}
