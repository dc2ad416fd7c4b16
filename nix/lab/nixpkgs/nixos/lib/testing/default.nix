# pkgs.testers.runNixOSTest: boots the nodes of a test in QEMU and runs its
# Python script against them, as a derivation.
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
          description = "The machines.";
        };
        defaults = mkOption {
          type = types.deferredModule;
          default = { };
          description = "What all machines have in common.";
        };
        node.specialArgs = mkOption {
          type = types.lazyAttrsOf types.raw;
          default = { };
          description = "Arguments of the modules that `imports` can use.";
        };
        node.pkgs = mkOption {
          type = types.nullOr types.raw;
          default = pkgs;
          description = "The packages of the machines.";
        };
        testScript = mkOption {
          type = types.either types.str (types.functionTo types.str);
          description = "What to do, in Python.";
        };
        globalTimeout = mkOption {
          type = types.ints.positive;
          default = 3600;
          description = "How many seconds the test may take.";
        };
        skipLint = mkOption {
          type = types.bool;
          default = false;
          description = "Without effect: the lab only compiles the script.";
        };
        skipTypeCheck = mkOption {
          type = types.bool;
          default = false;
          description = "Without effect: the lab does not check types.";
        };
        meta = mkOption {
          type = types.lazyAttrsOf types.raw;
          default = { };
          description = "About the test.";
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

  # The driver knows a machine by its host name: the real one checks the
  # script against these names and refuses others.
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
