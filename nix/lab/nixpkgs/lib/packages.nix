# Functions on packages and sources, and what their `meta` may say.
lib: {
  # -- outputs and programs

  getOutput = output: pkg: if pkg.outputSpecified or false then pkg else pkg.${output} or pkg.out or pkg;
  getBin = lib.getOutput "bin";
  getLib = lib.getOutput "lib";
  getDev = lib.getOutput "dev";
  getMan = lib.getOutput "man";

  /* The path of a package's main program, named by its `meta.mainProgram`.
     A package that does not name one is taken to have a program of its own name.
  */
  getExe =
    pkg:
    lib.getExe' pkg (
      pkg.meta.mainProgram or (lib.warn
        "getExe: Package ${lib.escapeNixString pkg.name or pkg.pname} does not have the meta.mainProgram attribute. We'll assume that the main program has the same name for now, but this behavior is deprecated, because it leads to surprising errors when the assumption does not hold. If the package has a main program, please set `meta.mainProgram` in its definition to make this warning go away. Otherwise, if the package does not have a main program, or if you don't control its definition, use getExe' to specify the name to the program, such as lib.getExe' foo \"bar\"."
        (lib.getName pkg)
      )
    );
  getExe' = pkg: program: "${lib.getBin pkg}/bin/${program}";

  # -- derivations

  addMetaAttrs = attrs: pkg: pkg // { meta = pkg.meta or { } // attrs; };
  setName = name: pkg: pkg // { inherit name; };
  setPrio = priority: lib.addMetaAttrs { inherit priority; };
  lowPrio = lib.setPrio 10;
  hiPrio = lib.setPrio (-10);
  makeOverridable =
    f: args:
    f args
    // {
      override = new: lib.makeOverridable f (args // (if lib.isFunction new then new args else new));
    };
  callPackageWith =
    scope: file: extra:
    let
      f = if lib.isFunction file then file else import file;
    in
    lib.makeOverridable f (builtins.intersectAttrs (lib.functionArgs f) scope // extra);

  # -- sources

  cleanSource = src: lib.cleanSourceWith { inherit src; filter = lib.cleanSourceFilter; };
  cleanSourceFilter =
    path: type:
    let
      name = baseNameOf (toString path);
    in
    !(
      (type == "directory" && builtins.elem name [ ".git" ".svn" ".hg" "CVS" ])
      || lib.hasSuffix "~" name
      || builtins.match "^\\.sw[a-z]$|^\\..*\\.sw[a-z]$" name != null
      || lib.hasSuffix ".o" name
      || lib.hasSuffix ".so" name
      || (type == "symlink" && lib.hasPrefix "result" name)
      || type == "unknown"
    );
  cleanSourceWith =
    {
      src,
      filter ? _: _: true,
      name ? "source",
    }:
    builtins.path {
      inherit filter name;
      path = src;
    };

  # -- meta

  licenses = {
    mit = {
      shortName = "mit";
      fullName = "MIT License";
      spdxId = "MIT";
      free = true;
    };
    asl20 = {
      shortName = "asl20";
      fullName = "Apache License 2.0";
      spdxId = "Apache-2.0";
      free = true;
    };
    bsd2 = {
      shortName = "bsd2";
      fullName = "BSD 2-clause \"Simplified\" License";
      spdxId = "BSD-2-Clause";
      free = true;
    };
    bsd3 = {
      shortName = "bsd3";
      fullName = "BSD 3-clause \"New\" or \"Revised\" License";
      spdxId = "BSD-3-Clause";
      free = true;
    };
    gpl2Plus = {
      shortName = "gpl2Plus";
      fullName = "GNU General Public License v2.0 or later";
      spdxId = "GPL-2.0-or-later";
      free = true;
    };
    gpl3Plus = {
      shortName = "gpl3Plus";
      fullName = "GNU General Public License v3.0 or later";
      spdxId = "GPL-3.0-or-later";
      free = true;
    };
    unfree = {
      shortName = "unfree";
      fullName = "Unfree";
      free = false;
    };
  };
  maintainers = { };
  platforms = rec {
    linux = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    darwin = [
      "x86_64-darwin"
      "aarch64-darwin"
    ];
    unix = linux ++ darwin;
    all = unix;
  };
  systems = {
    flakeExposed = lib.platforms.all;
    doubles = lib.platforms;
  };
}
