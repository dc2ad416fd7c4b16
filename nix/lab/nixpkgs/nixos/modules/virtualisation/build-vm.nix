# system.build.vm: the configuration as a local VM, with the settings that
# are meant for that alone.
{
  config,
  lib,
  extendModules,
  ...
}:
let
  inherit (lib) mkOption types;
  vm = extendModules {
    modules = [
      ./qemu-vm.nix
      config.virtualisation.vmVariant
    ];
  };
in
{
  options.virtualisation.vmVariant = mkOption {
    type = types.deferredModule;
    default = { };
    description = "What the local VM adds to the configuration.";
  };

  config.system.build.vm = lib.mkDefault vm.config.system.build.vm;
}
