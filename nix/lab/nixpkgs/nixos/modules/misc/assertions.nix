{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    assertions = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
      description = "What must hold for the system to be built.";
    };
    warnings = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "What the user should know when the system is built.";
    };
  };
}
