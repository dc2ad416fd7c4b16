# Functions on attribute sets.
lib:
let
  inherit (builtins)
    attrNames
    attrValues
    concatMap
    filter
    foldl'
    head
    isAttrs
    listToAttrs
    mapAttrs
    tail
    ;
in
{
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    getAttr
    hasAttr
    intersectAttrs
    isAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;

  # -- creating sets

  nameValuePair = name: value: { inherit name value; };
  genAttrs = names: f: lib.genAttrs' names (name: lib.nameValuePair name (f name));
  genAttrs' = list: f: listToAttrs (map f list);
  optionalAttrs = condition: set: if condition then set else { };
  setAttrByPath = path: value: lib.foldr (name: inner: { ${name} = inner; }) value path;
  mergeAttrsList = foldl' (a: b: a // b) { };

  # -- accessing nested sets by path (a list of names)

  hasAttrByPath =
    path: set:
    path == [ ] || (set ? ${head path} && lib.hasAttrByPath (tail path) set.${head path});
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if set ? ${head path} then
      lib.attrByPath (tail path) default set.${head path}
    else
      default;
  getAttrFromPath =
    path: lib.attrByPath path (throw "cannot find attribute '${lib.concatStringsSep "." path}'");
  attrVals = names: set: map (name: set.${name}) names;
  getAttrs = names: set: lib.genAttrs names (name: set.${name});

  # -- from sets to lists

  attrsToList = lib.mapAttrsToList lib.nameValuePair;
  mapAttrsToList = f: set: attrValues (mapAttrs f set);
  collect =
    predicate: value:
    if predicate value then
      [ value ]
    else if isAttrs value then
      concatMap (lib.collect predicate) (attrValues value)
    else
      [ ];
  foldlAttrs = f: start: set: foldl' (acc: name: f acc name set.${name}) start (attrNames set);
  foldAttrs = f: start: sets: builtins.zipAttrsWith (_: lib.foldr f start) sets;
  cartesianProduct =
    set:
    foldl' (
      rows: name: concatMap (row: map (value: row // { ${name} = value; }) set.${name}) rows
    ) [ { } ] (attrNames set);
  mapCartesianProduct = f: set: map f (lib.cartesianProduct set);

  # -- from sets to sets

  mapAttrs' = f: set: listToAttrs (lib.mapAttrsToList f set);
  concatMapAttrs = f: set: lib.mergeAttrsList (lib.mapAttrsToList f set);
  filterAttrs =
    predicate: set:
    removeAttrs set (filter (name: !predicate name set.${name}) (attrNames set));
  filterAttrsRecursive =
    predicate: set:
    mapAttrs (_: value: if isAttrs value then lib.filterAttrsRecursive predicate value else value) (
      lib.filterAttrs predicate set
    );
  mapAttrsRecursive = lib.mapAttrsRecursiveCond (_: true);
  mapAttrsRecursiveCond =
    enter: f:
    let
      below =
        path:
        mapAttrs (
          name: value:
          let
            here = path ++ [ name ];
          in
          if isAttrs value && enter value then below here value else f here value
        );
    in
    below [ ];
  zipAttrs = builtins.zipAttrsWith (_: values: values);
  zipAttrsWithNames =
    names: f: sets:
    lib.genAttrs names (name: f name (builtins.catAttrs name sets));

  /* Merges two sets like `//`, but recursively. If the predicate `stop`
     returns true, the right value replaces the left one.
  */
  recursiveUpdate = lib.recursiveUpdateUntil (_: left: right: !(isAttrs left && isAttrs right));
  recursiveUpdateUntil =
    stop: left: right:
    let
      merge =
        path:
        builtins.zipAttrsWith (
          name: values:
          let
            here = path ++ [ name ];
            both = builtins.length values == 2;
          in
          if !both then
            head values
          else if stop here (head values) (lib.last values) then
            lib.last values
          else
            merge here values
        );
    in
    merge [ ] [
      left
      right
    ];
  updateManyAttrsByPath =
    updates: set:
    foldl' (
      acc: { path, update }: lib.recursiveUpdateUntil (here: _: _: here == path) acc (
        lib.setAttrByPath path (update (lib.getAttrFromPath path acc))
      )
    ) set updates;
  matchAttrs =
    pattern: set:
    lib.all (
      name:
      set ? ${name}
      && (
        if isAttrs pattern.${name} then
          isAttrs set.${name} && lib.matchAttrs pattern.${name} set.${name}
        else
          pattern.${name} == set.${name}
      )
    ) (attrNames pattern);
  unionOfDisjoint =
    a: b:
    let
      collision = attrNames (builtins.intersectAttrs a b);
    in
    lib.throwIfNot (
      collision == [ ]
    ) "attrsets.unionOfDisjoint: collision on ${toString collision}" (a // b);

  # -- packages

  isDerivation = value: value.type or null == "derivation";
  getOutput =
    output: pkg:
    if pkg.outputSpecified or false then pkg else pkg.${output} or pkg.out or pkg;
  getBin = lib.getOutput "bin";
  getLib = lib.getOutput "lib";
  getDev = lib.getOutput "dev";
  getMan = lib.getOutput "man";
  recurseIntoAttrs = set: set // { recurseForDerivations = true; };
  dontRecurseIntoAttrs = set: set // { recurseForDerivations = false; };
}
