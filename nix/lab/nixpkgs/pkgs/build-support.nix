# mkDerivation and trivial builders. `shell` is the command that runs the build
# scripts, `initialPath` the package whose programs all of them can use.
{
  lib,
  system,
  shell,
  initialPath,
  runtimeShell,
}:
let
  inherit (lib) optionalString;

  mkDerivation =
    attrs:
    let
      name = attrs.name or "${attrs.pname}-${attrs.version}";
      forNix = removeAttrs attrs [
        "meta"
        "passthru"
      ];
      drv = derivation (
        {
          inherit name system initialPath;
          builder = builtins.head shell;
          args = builtins.tail shell ++ [
            "-e"
            ./builder.sh
          ];
        }
        // forNix
      );
    in
    drv
    // {
      pname = attrs.pname or name;
      version = attrs.version or "";
      meta = attrs.meta or { };
      overrideAttrs =
        f: mkDerivation (attrs // (if builtins.isFunction f then f attrs else f));
    }
    // attrs.passthru or { };

  runCommand =
    name: attrs: buildCommand:
    mkDerivation ({ inherit name buildCommand; } // attrs);

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      meta ? { },
    }:
    runCommand name
      {
        inherit text meta;
        passAsFile = [ "text" ];
      }
      ''
        target=$out${destination}
        mkdir -p "$(dirname "$target")"
        cp "$textPath" "$target"
        ${optionalString executable ''chmod +x "$target"''}
      '';

  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };
in
rec {
  inherit
    mkDerivation
    runCommand
    writeTextFile
    writeScriptBin
    ;
  runCommandLocal = runCommand;

  writeText = name: text: writeTextFile { inherit name text; };
  writeTextDir =
    path: text:
    writeTextFile {
      name = baseNameOf path;
      inherit text;
      destination = "/${path}";
    };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  writeShellScript = name: text: writeScript name "#!${runtimeShell}\n${text}";
  writeShellScriptBin = name: text: writeScriptBin name "#!${runtimeShell}\n${text}";
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      ...
    }:
    writeScriptBin name ''
      #!${runtimeShell}
      set -o errexit -o nounset -o pipefail
      export PATH="${lib.makeBinPath runtimeInputs}:$PATH"
      ${text}
    '';

  # A directory with links to all files of several packages.
  symlinkJoin =
    {
      name,
      paths,
      postBuild ? "",
      ...
    }@args:
    runCommand name
      {
        inherit paths;
        meta = args.meta or { };
      }
      ''
        mkdir -p $out
        for path in $paths; do
          for dir in bin lib share etc; do
            [ -d "$path/$dir" ] || continue
            mkdir -p $out/$dir
            for file in "$path/$dir"/*; do
              ln -sf "$file" $out/$dir/
            done
          done
        done
        ${postBuild}
      '';

  linkFarm =
    name: entries:
    let
      links =
        if builtins.isAttrs entries then
          lib.mapAttrsToList (name: path: { inherit name path; }) entries
        else
          entries;
    in
    runCommand name { } (
      "mkdir -p $out\n"
      + lib.concatMapStrings (link: ''
        mkdir -p "$(dirname "$out/${link.name}")"
        ln -s ${link.path} "$out/${link.name}"
      '') links
    );

  # A list of all store paths that `rootPaths` need at run time.
  closureInfo =
    { rootPaths }:
    runCommand "closure-info"
      {
        exportReferencesGraph = lib.concatLists (
          lib.imap0 (i: path: [
            "graph-${toString i}"
            path
          ]) rootPaths
        );
      }
      ''
        mkdir $out
        grep -h '^/nix/store/' graph-* | sort -u > $out/store-paths
      '';

  # `nix develop` sources $stdenv/setup and keeps the variables.
  mkShell =
    attrs:
    let
      setup = writeTextFile {
        name = "stdenv";
        destination = "/setup";
        text = ''
          PATH=
          for input in $nativeBuildInputs $initialPath; do
            PATH="''${PATH:+$PATH:}$input/bin"
          done
        '';
      };
    in
    runCommand (attrs.name or "nix-shell") {
      outputs = [ "out" ];
      stdenv = setup;
      nativeBuildInputs = attrs.packages or [ ] ++ attrs.nativeBuildInputs or [ ];
    } "mkdir $out";
  mkShellNoCC = mkShell;
}
