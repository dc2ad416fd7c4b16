# The file name of an image.
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
    baseName = string "nixos-image-${label}-${system}" "File name without extension.";
    extension = string "img" "File name extension.";
    fileName = string "${cfg.baseName}.${cfg.extension}" "File name.";
    filePath = string cfg.fileName "Path of the file inside the store path of the image.";
  };
}
