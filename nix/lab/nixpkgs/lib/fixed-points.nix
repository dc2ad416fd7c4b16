# Sets that refer to themselves, and overlays for them.
lib: {
  fix =
    f:
    let
      x = f x;
    in
    x;

  /* `f` extended with an overlay `final: prev: { … }`. */
  extends =
    overlay: f: final:
    let
      prev = f final;
    in
    prev // overlay final prev;

  composeExtensions =
    first: second: final: prev:
    let
      added = first final prev;
    in
    added // second final (prev // added);
  composeManyExtensions = lib.foldr lib.composeExtensions (_: _: { });

  makeExtensible =
    f:
    lib.fix (
      self:
      f self
      // {
        extend = overlay: lib.makeExtensible (lib.extends overlay f);
      }
    );
}
