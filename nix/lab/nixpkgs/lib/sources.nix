# Source trees, without what does not belong into a build.
lib: {
  cleanSource =
    src:
    lib.cleanSourceWith {
      inherit src;
      filter = lib.cleanSourceFilter;
    };

  /* The files of `src` that `filter` (path: type: bool) lets through. */
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

  /* No version control, no editor's leftovers, no build results. */
  cleanSourceFilter =
    path: type:
    let
      name = baseNameOf (toString path);
      versionControl = lib.elem name [
        ".git"
        ".svn"
        ".hg"
        "CVS"
      ];
    in
    !(
      (type == "directory" && versionControl)
      || lib.hasSuffix "~" name
      || lib.match "\\..*\\.sw[a-z]|\\.sw[a-z]" name != null
      || lib.hasSuffix ".o" name
      || lib.hasSuffix ".so" name
      || (type == "symlink" && lib.hasPrefix "result" name)
      || type == "unknown"
    );
}
