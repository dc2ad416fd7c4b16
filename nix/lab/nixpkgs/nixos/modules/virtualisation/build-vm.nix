# system.build.vm: the configuration as a local VM, with the settings that
# are meant for that alone.
{
  config,
  lib,
  extendModules,
  ...
}:
let
  vm = extendModules { modules = [ ./qemu-vm.nix ]; };
in
{
  options.virtualisation.vmVariant = lib.mkOption {
    inherit (vm) type;
    default = { };
    description = "What the local VM adds to the configuration.";
  };

  config.system.build.vm = lib.mkDefault config.virtualisation.vmVariant.system.build.vm;
}
