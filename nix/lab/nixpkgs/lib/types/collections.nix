# Types of lists and attribute sets whose elements have a type.
lib:
let
  inherit (builtins)
    concatLists
    isAttrs
    isList
    mapAttrs
    zipAttrsWith
    ;
  inherit (lib) types;
  inherit (import ./option-type.nix lib)
    mergePart
    mkOptionType
    nounOr
    phrase
    structured
    wrapping
    ;
in
{
  # -- lists and sets

  listOf =
    elemType:
    wrapping types.listOf elemType {
      name = "listOf";
      description = "list of ${nounOr "composite" elemType}";
      descriptionClass = "composite";
      check = isList;
      typeError = structured isList;
      merge =
        loc: defs:
        let
          entry =
            n: m: def: value:
            mergePart (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) elemType [
              (def // { inherit value; })
            ];
          entries = lib.imap1 (n: def: lib.imap1 (m: entry n m def) def.value) defs;
        in
        builtins.catAttrs "value" (concatLists entries);
      emptyValue.value = [ ];
      getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "*" ]);
    };
  nonEmptyListOf =
    elemType:
    let
      list = types.listOf elemType;
    in
    types.addCheck list (value: value != [ ])
    // {
      description = "non-empty ${phrase [ "noun" ] list}";
      emptyValue = { };
      substSubModules = modules: types.nonEmptyListOf (elemType.substSubModules modules);
    };

  attrs = mkOptionType {
    name = "attrs";
    description = "attribute set";
    check = isAttrs;
    merge = _: defs: lib.mergeAttrsList (lib.getValues defs);
    emptyValue.value = { };
  };

  /* The merged set contains a name only if a definition of it has a true
     condition. Therefore the conditions of all names are evaluated.
  */
  attrsOf =
    elemType:
    types.attrsWith { inherit elemType; };

  /* The merged set contains all defined names. Conditions are evaluated only
     when the value of a name is used.
  */
  lazyAttrsOf =
    elemType:
    types.attrsWith {
      inherit elemType;
      lazy = true;
    };

  attrsWith =
    {
      elemType,
      lazy ? false,
      placeholder ? "name",
    }:
    let
      # Converts definitions of the set to definitions of each name in it.
      byName =
        f: defs:
        zipAttrsWith f (map (def: mapAttrs (_: value: def // { inherit value; }) def.value) defs);
    in
    wrapping (merged: types.attrsWith {
      elemType = merged;
      inherit lazy placeholder;
    }) elemType {
      name = if lazy then "lazyAttrsOf" else "attrsOf";
      description = "${lib.optionalString lazy "lazy "}attribute set of ${nounOr "composite" elemType}";
      descriptionClass = "composite";
      check = isAttrs;
      typeError = structured isAttrs;
      merge =
        if lazy then
          loc:
          byName (
            name: defs:
            let
              merged = lib.modules.mergeDefinitions (loc ++ [ name ]) elemType defs;
            in
            merged.optionalValue.value or elemType.emptyValue.value or merged.mergedValue
          )
        else
          loc: defs:
          mapAttrs (_: part: part.value) (
            lib.filterAttrs (_: part: part ? value) (
              byName (name: mergePart (loc ++ [ name ]) elemType) defs
            )
          );
      emptyValue.value = { };
      getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "<${placeholder}>" ]);
    };
}
