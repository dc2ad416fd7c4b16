# Types composed of other types, and types that accept any value.
lib:
let
  inherit (builtins)
    all
    head
    isAttrs
    length
    ;
  inherit (lib) showOption types;
  inherit (import ./option-type.nix lib)
    mkOptionType
    nounOr
    phrase
    structured
    typeErrorOf
    wrapping
    ;
in
{
  # -- any value

  raw = mkOptionType {
    name = "raw";
    description = "raw value";
    descriptionClass = "noun";
    merge = lib.mergeOneOption;
  };
  unspecified = mkOptionType {
    name = "unspecified";
    description = "unspecified value";
    descriptionClass = "noun";
  };

  /* Merges sets recursively. Other values must be equal. */
  anything = mkOptionType {
    name = "anything";
    description = "anything";
    descriptionClass = "noun";
    merge =
      loc: defs:
      let
        kindOf =
          def:
          if isAttrs def.value && lib.isStringLike def.value then
            "package"
          else
            builtins.typeOf def.value;
        kind = kindOf (head defs);
        merge =
          {
            package = lib.mergeOneOption;
            set = (types.attrsOf types.anything).merge;
            lambda =
              loc': defs': argument:
              types.anything.merge (loc' ++ [ "<function body>" ]) (
                map (def: def // { value = def.value argument; }) defs'
              );
          }
          .${kind} or lib.mergeEqualOption;
      in
      if all (def: kindOf def == kind) defs then
        merge loc defs
      else
        throw "The option `${showOption loc}' has conflicting option types in ${lib.showFiles (lib.getFiles defs)}";
  };

  # -- composed types

  nullOr =
    elemType:
    wrapping types.nullOr elemType {
      name = "nullOr";
      description = "null or ${nounOr "conjunction" elemType}";
      descriptionClass = "conjunction";
      check = value: value == null || elemType.check value;
      merge =
        loc: defs:
        let
          nulls = lib.count (def: def.value == null) defs;
        in
        if nulls == length defs then
          null
        else if nulls != 0 then
          throw "The option `${showOption loc}` is defined both null and not null, in ${lib.showFiles (lib.getFiles defs)}."
        else
          elemType.merge loc defs;
      emptyValue.value = null;
      inherit (elemType) getSubOptions;
    };

  either =
    left: right:
    mkOptionType {
      name = "either";
      description =
        if left.descriptionClass == "nonRestrictiveClause" then
          "${left.description}, or ${nounOr "conjunction" right}"
        else
          "${nounOr "conjunction" left} or ${
            phrase [
              "noun"
              "conjunction"
              "composite"
            ] right
          }";
      descriptionClass = "conjunction";
      check = value: left.check value || right.check value;
      typeError =
        loc: defs:
        if typeErrorOf left loc defs == null || typeErrorOf right loc defs == null then
          null
        else
          "TypeError: The option `${showOption loc}` is neither a value of type `${left.description}` nor `${right.description}`, Definition values: ${lib.options.showDefs defs}";
      merge =
        loc: defs:
        if typeErrorOf left loc defs == null then
          left.merge loc defs
        else if typeErrorOf right loc defs == null then
          right.merge loc defs
        else
          lib.mergeOneOption loc defs;
      nestedTypes = { inherit left right; };
      typeMerge =
        other:
        let
          left' = left.typeMerge other.nestedTypes.left;
          right' = right.typeMerge other.nestedTypes.right;
        in
        if other.name != "either" || left' == null || right' == null then
          null
        else
          types.either left' right';
    };
  oneOf =
    alternatives:
    lib.throwIf (
      alternatives == [ ]
    ) "types.oneOf needs to get at least one type in its argument" (
      lib.foldl' types.either (head alternatives) (lib.drop 1 alternatives)
    );

  /* Accepts `from` and `to`, and converts `from` to `to`. */
  coercedTo =
    from: coerce: to:
    let
      coerced = map (
        def: if from.check def.value then def // { value = coerce def.value; } else def
      );
      check = value: (from.check value && to.check (coerce value)) || to.check value;
    in
    mkOptionType {
      name = "coercedTo";
      description = "${phrase [ "noun" ] to} or ${phrase [ "noun" ] from} convertible to it";
      inherit check;
      typeError =
        if to.typeError == null then structured check else loc: defs: to.typeError loc (coerced defs);
      merge = loc: defs: to.merge loc (coerced defs);
      inherit (to) emptyValue getSubOptions getSubModules;
      substSubModules = modules: types.coercedTo from coerce (to.substSubModules modules);
      typeMerge = _: null;
      nestedTypes = {
        coercedType = from;
        finalType = to;
      };
    };

  uniq = types.unique { message = ""; };
  unique =
    { message }:
    elemType:
    wrapping (types.unique { inherit message; }) elemType {
      name = "unique";
      inherit (elemType)
        description
        descriptionClass
        check
        emptyValue
        getSubOptions
        ;
      merge = lib.mergeUniqueOption {
        inherit message;
        inherit (elemType) merge;
      };
    };
  functionTo =
    elemType:
    wrapping types.functionTo elemType {
      name = "functionTo";
      description = "function that evaluates to a(n) ${nounOr "composite" elemType}";
      descriptionClass = "composite";
      check = lib.isFunction;
      merge =
        loc: defs: argument:
        (lib.modules.mergeDefinitions (loc ++ [ "<function body>" ]) elemType (
          map (def: def // { value = def.value argument; }) defs
        )).mergedValue;
      getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "<function body>" ]);
    };
  addCheck =
    type: check:
    type
    // {
      check = value: type.check value && check value;
      typeError =
        if type.typeError == null then
          null
        else
          loc: defs:
          let
            first = type.typeError loc defs;
          in
          if first != null then first else structured check loc defs;
      # Merging would lose the check.
      typeMerge = _: null;
    };
}
