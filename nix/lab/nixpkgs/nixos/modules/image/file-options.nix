# What the file of an image is called.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
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
    baseName = string "nixos-image-${config.system.nixos.label}-x86_64-linux" "Its name without extension.";
    extension = string "img" "Its extension.";
    fileName = string "${cfg.baseName}.${cfg.extension}" "Its name.";
    filePath = string cfg.fileName "Its path in the store path of the image.";
  };
}
