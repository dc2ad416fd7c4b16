# system.build.toplevel: the whole system as one store path.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.system;
  build = cfg.build;
  inherit (config.boot.kernelPackages) kernel;

  system = pkgs.mkDerivation {
    name = "nixos-system-${cfg.name}-${cfg.nixos.label}";
    inherit (cfg) extraDependencies;
    buildCommand = ''
      mkdir -p $out/bin
      ln -s ${kernel}/bzImage $out/kernel
      ln -s ${kernel} $out/kernel-modules
      ln -s ${build.initialRamdisk}/initrd $out/initrd
      ln -s ${build.etc}/etc $out/etc
      ln -s ${cfg.path} $out/sw
      ln -s ${config.systemd.package} $out/systemd
      sed "s|@systemConfig@|$out|" ${build.bootStage2} > $out/init
      sed "s|@systemConfig@|$out|" ${build.activate} > $out/activate
      chmod +x $out/init $out/activate
      ln -s ${build.installBootLoader} $out/bin/install-boot-loader
      printf %s ${lib.escapeShellArg (toString config.boot.kernelParams)} > $out/kernel-params
      printf %s ${cfg.nixos.label} > $out/nixos-version
      printf %s ${pkgs.stdenv.hostPlatform.system} > $out/system
      printf '%s\n' $extraDependencies > $out/extra-dependencies
      ${lib.concatMapStrings (regex: ''
        if [ -n "$closureInfo" ]; then
          if forbiddenPaths=$(grep -E -- ${lib.escapeShellArg regex} $closureInfo/store-paths); then
            echo "System closure $out contains the following disallowed paths:"
            echo "$forbiddenPaths"
            exit 1
          fi
        fi
      '') (builtins.filter (regex: regex != "") cfg.forbiddenDependenciesRegexes)}
    '';
  };

  # The closure of a system is known only after it is built. So check the closure
  # of a system that is the same except for this check.
  checked =
    if cfg.forbiddenDependenciesRegexes == [ ] then
      system
    else
      system.overrideAttrs {
        closureInfo = pkgs.closureInfo {
          rootPaths = [ (system.overrideAttrs { extraDependencies = [ ]; }) ];
        };
      };

  failed = builtins.filter (a: !a.assertion) config.assertions;
  failedLines = lib.concatMapStringsSep "\n" (a: "- ${a.message}") failed;
in
{
  options.system = {
    name = mkOption {
      type = types.str;
      default = if config.networking.hostName == "" then "unnamed" else config.networking.hostName;
      description = "The name of the system, a part of its store path.";
    };
    build = mkOption {
      type = types.lazyAttrsOf types.unspecified;
      default = { };
      description = "Derivations that can be built from the configuration.";
    };
    extraDependencies = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages to include in the closure.";
    };
    forbiddenDependenciesRegexes = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Extended regular expressions. No path in the closure may match any of them.";
    };
  };

  config.system.build = {
    inherit kernel;
    toplevel =
      if failed != [ ] then
        throw "\nFailed assertions:\n${failedLines}"
      else
        lib.showWarnings config.warnings checked;
  };
}
