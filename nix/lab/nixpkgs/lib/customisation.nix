# Calling package functions, and overriding their arguments.
lib: {
  /* The result of `f args`, plus `override`, which calls `f` again with changed
     arguments: a set, or a function from the old to the new arguments.
  */
  makeOverridable =
    f: args:
    f args
    // {
      override = new: lib.makeOverridable f (args // lib.toFunction new args);
    };

  /* Calls a function, or the function in a file, with the arguments that it names
     from `scope`, and with `extra`.
  */
  callPackageWith =
    scope: function: extra:
    let
      f = if lib.isFunction function then function else import function;
    in
    lib.makeOverridable f (builtins.intersectAttrs (lib.functionArgs f) scope // extra);
}
