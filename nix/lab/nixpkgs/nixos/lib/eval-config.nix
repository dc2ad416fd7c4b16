# nixosSystem: evaluates modules together with those in modules/.
{
  lib,
  modules,
  system ? null,
  specialArgs ? { },
  ...
}:
let
  platform = lib.optional (system != null) {
    nixpkgs.hostPlatform = lib.mkDefault system;
  };

  # The attributes of an evaluation that callers can use.
  present = evaluated: {
    inherit (evaluated) config options;
    inherit (evaluated._module.args) pkgs;
    inherit lib;
    extendModules = args: present (evaluated.extendModules args);
  };
in
present (
  lib.evalModules {
    class = "nixos";
    specialArgs = {
      modulesPath = toString ../modules;
    }
    // specialArgs;
    modules = import ../modules/module-list.nix ++ platform ++ modules;
  }
)
