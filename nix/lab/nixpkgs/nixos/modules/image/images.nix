# system.build.images: images of one configuration in many formats.
{
  config,
  lib,
  extendModules,
  ...
}:
let
  inherit (lib) mkOption types;

  rawImage = efi: {
    imports = [ ../virtualisation/disk-image.nix ];
    image.format = "raw";
    image.efiSupport = efi;
  };
  qemuImage = efi: {
    imports = [ ../virtualisation/disk-image.nix ];
    image.efiSupport = efi;
  };

  build =
    name: module:
    let
      inherit (extendModules { modules = [ module ]; }) config;
      missing = "Module for `system.build.images.${name}` misses required `system.build.image` option.";
      image = config.system.build.image or (throw missing);
    in
    image
    // {
      passthru = {
        inherit config;
        inherit (config.image) filePath;
      };
    };
in
{
  options.image.modules = mkOption {
    type = types.attrsOf types.deferredModule;
    default = { };
    description = "Modules that each image format adds to the configuration.";
  };

  # A configuration that already builds an image has no variants.
  config = {
    image.modules = lib.mkIf (!(config.system.build ? image)) {
      amazon = ../../maintainers/scripts/ec2/amazon-image.nix;
      qemu = qemuImage false;
      qemu-efi = qemuImage true;
      raw = rawImage false;
      raw-efi = rawImage true;
      vmware = ../virtualisation/vmware-image.nix;
    };
    system.build.images = lib.mkIf (!(config.system.build ? image)) (
      lib.mapAttrs build config.image.modules
    );
  };
}
