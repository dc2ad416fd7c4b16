# Functions of packages whose arguments can be filled in and changed.
lib: {
  /* The result of `f args` with `override`, which calls `f` again with other
     arguments: a set of them, or a function from the old to the new ones.
  */
  makeOverridable =
    f: args:
    f args
    // {
      override = new: lib.makeOverridable f (args // lib.toFunction new args);
    };

  /* Calls a function (or the one in a file) with what it asks for by name from
     `scope`, and with `extra`.
  */
  callPackageWith =
    scope: function: extra:
    let
      f = if lib.isFunction function then function else import function;
    in
    lib.makeOverridable f (builtins.intersectAttrs (lib.functionArgs f) scope // extra);
}
