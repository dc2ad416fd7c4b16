# Metadata and programs of packages.
lib: {
  addMetaAttrs = attrs: pkg: pkg // { meta = pkg.meta or { } // attrs; };
  setName = name: pkg: pkg // { inherit name; };
  setPrio = priority: lib.addMetaAttrs { inherit priority; };
  lowPrio = lib.setPrio 10;
  hiPrio = lib.setPrio (-10);

  /* The path of a package's main program, according to `meta.mainProgram`. If
     that is not set, warns and uses the name of the package.
  */
  getExe =
    pkg:
    lib.getExe' pkg (
      pkg.meta.mainProgram or (lib.warn
        "getExe: Package ${
          lib.strings.escapeNixIdentifier pkg.meta.name or pkg.pname or pkg.name
        } does not have the meta.mainProgram attribute. We'll assume that the main program has the same name for now, but this behavior is deprecated, because it leads to surprising errors when the assumption does not hold. If the package has a main program, please set `meta.mainProgram` in its definition to make this warning go away. Otherwise, if the package does not have a main program, or if you don't control its definition, use getExe' to specify the name to the program, such as lib.getExe' foo \"bar\"."
        (lib.getName pkg)
      )
    );
  getExe' = pkg: program: "${lib.getBin pkg}/bin/${program}";

  # Placeholders for hashes that are not known yet.
  fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  fakeSha256 = lib.fixedWidthString 64 "0" "";
}
