# system.build.vm: the configuration as a local VM, with the additional settings
# in virtualisation.vmVariant.
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
    description = "Additional configuration of the local VM.";
  };

  config.system.build.vm = lib.mkDefault config.virtualisation.vmVariant.system.build.vm;
}
