# Builds the image for Amazon EC2.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.amazonImage;
  inherit (config.system.nixos) label;
  inherit (pkgs.stdenv.hostPlatform) system;
in
{
  imports = [ ../../../modules/virtualisation/amazon-image.nix ];

  options.amazonImage.format = mkOption {
    type = types.enum [
      "raw"
      "qcow2"
      "vpc"
    ];
    default = "vpc";
    description = "The format of the image.";
  };

  config = {
    system.nixos.tags = [ "amazon" ];
    image.baseName = lib.mkOverride 999 "nixos-amazon-image-${label}-${system}";
    image.extension =
      {
        raw = "img";
        qcow2 = "qcow2";
        vpc = "vhd";
      }
      .${cfg.format};

    system.build.image = config.system.build.amazonImage;
    system.build.amazonImage = import ../../../lib/make-disk-image.nix {
      inherit config lib pkgs;
      inherit (cfg) format;
      inherit (config.ec2) efi;
    };
  };
}
