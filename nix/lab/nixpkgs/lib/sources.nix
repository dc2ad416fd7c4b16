# Functions that filter source trees.
lib: {
  cleanSource =
    src:
    lib.cleanSourceWith {
      inherit src;
      filter = lib.cleanSourceFilter;
    };

  /* Copies only those files of `src` for which `filter` (path: type: bool) is true. */
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

  /* Excludes version control, temporary files of editors, and build results. */
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
