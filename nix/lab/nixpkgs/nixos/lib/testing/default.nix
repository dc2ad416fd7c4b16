# pkgs.testers.runNixOSTest: a derivation that boots the nodes of a test in QEMU
# and runs the test's Python script against them.
{ lib, pkgs }:
test:
let
  inherit (lib) mkOption types;

  options =
    { config, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          description = "The name of the test.";
        };
        nodes = mkOption {
          type = types.lazyAttrsOf types.deferredModule;
          default = { };
          description = "The configurations of the machines.";
        };
        defaults = mkOption {
          type = types.deferredModule;
          default = { };
          description = "A module that all machines import.";
        };
        node.specialArgs = mkOption {
          type = types.lazyAttrsOf types.raw;
          default = { };
          description = "Module arguments that `imports` can use.";
        };
        node.pkgs = mkOption {
          type = types.nullOr types.raw;
          default = pkgs;
          description = "The packages of the machines.";
        };
        testScript = mkOption {
          type = types.either types.str (types.functionTo types.str);
          description = "The test script, in Python.";
        };
        globalTimeout = mkOption {
          type = types.ints.positive;
          default = 3600;
          description = "Time limit of the test in seconds.";
        };
        skipLint = mkOption {
          type = types.bool;
          default = false;
          description = "No effect: the lab does not lint the script.";
        };
        skipTypeCheck = mkOption {
          type = types.bool;
          default = false;
          description = "No effect: the lab does not check types.";
        };
        meta = mkOption {
          type = types.lazyAttrsOf types.raw;
          default = { };
          description = "Metadata of the test.";
        };
      };
      config._module.args = { inherit pkgs lib; };
    };

  config =
    (lib.evalModules {
      modules = [
        test
        options
      ];
    }).config;

  evalNode =
    name: module:
    (import ../eval-config.nix {
      inherit lib;
      inherit (config.node) specialArgs;
      modules = [
        ../../modules/virtualisation/qemu-vm.nix
        ./guest.nix
        config.defaults
        module
        {
          _module.args.name = name;
          networking.hostName = lib.mkDefault name;
          nixpkgs.hostPlatform = pkgs.stdenv.hostPlatform.system;
          virtualisation = {
            diskImage = null;
            graphics = false;
            host.pkgs = pkgs;
          };
        }
      ];
    }).config;
  nodes = lib.mapAttrs evalNode config.nodes;

  # Scripts use host names as the names of machines: the real driver rejects
  # scripts with other names, too.
  variable = name: builtins.replaceStrings [ "-" ] [ "_" ] name;
  machines = map (node: {
    name = variable node.system.name;
    start = lib.getExe node.system.build.vm;
  }) (builtins.attrValues nodes);

  inherit (config) testScript;
  script = if builtins.isFunction testScript then testScript { inherit nodes; } else testScript;

  scriptFile = pkgs.writeText "testScript" script;
  arguments = map (m: "${m.name}=${m.start}") machines;

  driver = pkgs.writeShellScriptBin "nixos-test-driver" ''
    exec ${lib.getExe pkgs.python3} ${./driver.py} ${scriptFile} ${toString arguments}
  '';
in
pkgs.runCommand "vm-test-run-${config.name}"
  {
    inherit (config) meta;
    passthru = {
      inherit config nodes driver;
    };
  }
  ''
    mkdir -p $out
    timeout ${toString config.globalTimeout} ${driver}/bin/nixos-test-driver
  ''
