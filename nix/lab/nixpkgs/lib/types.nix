# The types of options: which definitions they accept, and how these merge.
#
# A type is a set with
#   name, description  what messages call it
#   descriptionClass   "noun", "composite", "conjunction" or
#                      "nonRestrictiveClause": whether a description that
#                      embeds this one puts it into parentheses
#   check              value -> bool: is one definition acceptable? Looks at the
#                      outside of the value only, so that its parts stay lazy.
#   merge              loc -> [ { file, value } ] -> value. Parts of the value
#                      are checked here.
#   typeError          loc -> [ { file, value } ] -> what is wrong with the
#                      definitions together, or null. Without it (null), each
#                      definition is looked at alone, by `check`.
#   emptyValue         { value = …; } where "no definition" has a meaning, or { }
#   typeMerge          other type -> the type of an option that is declared with
#                      both, or null where they do not go together
#   getSubOptions      prefix -> options inside the value
#   getSubModules      the modules of a submodule, else null
#   substSubModules    modules -> the same type with other modules
#   nestedTypes        the types it is made of, by role
lib:
let
  inherit (builtins)
    all
    concatLists
    filter
    head
    isAttrs
    isList
    isString
    length
    mapAttrs
    match
    toJSON
    zipAttrsWith
    ;
  inherit (lib) showOption;

  isType = type: value: value._type or null == type;
  setType = type: value: value // { _type = type; };
  isOptionType = isType "option-type";

  mkOptionType =
    {
      name,
      description ? name,
      descriptionClass ? null,
      check ? _: true,
      merge ? lib.mergeDefaultOption,
      typeError ? null,
      emptyValue ? { },
      typeMerge ? mergeIfSame name description,
      getSubOptions ? _: { },
      getSubModules ? null,
      substSubModules ? _: null,
      nestedTypes ? { },
      ...
    }:
    {
      _type = "option-type";
      inherit
        name
        description
        descriptionClass
        check
        merge
        typeError
        emptyValue
        typeMerge
        getSubOptions
        getSubModules
        substSubModules
        nestedTypes
        ;
    };

  /* What is wrong with definitions of a type, as the end of a message, or null. */
  typeErrorOf =
    type: loc: defs:
    if type.typeError or null != null then
      type.typeError loc defs
    else
      rejected "Definition values:" type.check defs;

  # `introduction` and the definitions that do not pass `check`, or null.
  rejected =
    introduction: check: defs:
    let
      wrong = filter (def: !check def.value) defs;
    in
    if wrong == [ ] then null else introduction + lib.options.showDefs wrong;

  # The typeError of types with parts.
  structured = check: _: rejected "TypeError: Definition values: " check;

  # Without parts, a type goes together with itself only.
  mergeIfSame =
    name: description: other:
    if other.name == name && other.description == description then other else null;

  # A description inside another one, in parentheses unless its class is safe.
  phrase =
    safe: type:
    if lib.elem type.descriptionClass safe then type.description else "(${type.description})";
  nounOr = class: phrase [ "noun" class ];

  # A value without parts: all definitions must be equal.
  scalar =
    name: description: check:
    mkOptionType {
      inherit name description check;
      descriptionClass = "noun";
      merge = lib.mergeEqualOption;
    };

  # A type that wraps one other type, and merges with its like by merging that.
  wrapping =
    make: elemType: attrs:
    mkOptionType (
      {
        nestedTypes = { inherit elemType; };
        inherit (elemType) getSubModules;
        substSubModules = modules: make (elemType.substSubModules modules);
        typeMerge =
          other:
          let
            merged = elemType.typeMerge other.nestedTypes.elemType;
          in
          if other.name != attrs.name || merged == null then null else make merged;
      }
      // attrs
    );

  # The definitions of one part of a value, merged. A set without `value` when
  # all of them turn out to be switched off.
  mergePart = loc: type: defs: (lib.modules.mergeDefinitions loc type defs).optionalValue;

  isModule = value: isAttrs value || lib.isFunction value || types.path.check value;

  # A type with a check of its own, and therefore a name of its own.
  restricted =
    base: name: description: check:
    types.addCheck base check
    // {
      inherit name description;
      typeMerge = mergeIfSame name description;
    };

  meaning =
    base: name: description: check:
    restricted base name description check // { descriptionClass = "nonRestrictiveClause"; };

  between =
    base: name: describe: lowest: highest:
    lib.throwIf (lowest > highest) "${name}: lowest must be smaller than highest" (
      restricted base name (describe "${toJSON lowest} and ${toJSON highest} (both inclusive)") (
        x: x >= lowest && x <= highest
      )
    );

  sized =
    kind: bits:
    between types.int "${kind}Int${toString bits}" (
      range: "${toString bits} bit ${kind} integer; between ${range}"
    );

  types = {
    # -- anything goes

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

    /* Sets merge name by name, packages and lists must be equal or alone. */
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

    # -- booleans and numbers

    bool = scalar "bool" "boolean" builtins.isBool;
    boolByOr = scalar "boolByOr" "boolean (merged using or)" builtins.isBool // {
      merge = _: defs: lib.any lib.id (lib.getValues defs);
    };
    int = scalar "int" "signed integer" builtins.isInt;
    float = scalar "float" "floating point number" builtins.isFloat;
    number = types.either types.int types.float;
    ints = {
      between = between types.int "intBetween" (range: "integer between ${range}");
      unsigned = meaning types.int "unsignedInt" "unsigned integer, meaning >=0" (x: x >= 0);
      positive = meaning types.int "positiveInt" "positive integer, meaning >0" (x: x > 0);
      u8 = sized "unsigned" 8 0 255;
      u16 = sized "unsigned" 16 0 65535;
      u32 = sized "unsigned" 32 0 4294967295;
      s8 = sized "signed" 8 (-128) 127;
      s16 = sized "signed" 16 (-32768) 32767;
      s32 = sized "signed" 32 (-2147483648) 2147483647;
    };
    numbers = {
      between = between types.number "numberBetween" (
        range: "integer or floating point number between ${range}"
      );
      nonnegative =
        meaning types.number "numberNonnegative"
          "nonnegative integer or floating point number, meaning >=0"
          (x: x >= 0);
      positive =
        meaning types.number "numberPositive" "positive integer or floating point number, meaning >0"
          (x: x > 0);
    };
    port = types.ints.u16;

    # -- strings and paths

    str = scalar "str" "string" isString;
    nonEmptyStr = scalar "nonEmptyStr" "non-empty string" (
      x: isString x && match "[ \t\n]*" x == null
    );
    strMatching =
      pattern:
      scalar "strMatching ${lib.strings.escapeNixString pattern}" "string matching the pattern ${pattern}" (
        x: isString x && match pattern x != null
      );
    singleLineStr =
      let
        base = types.strMatching "[^\n\r]*\n?";
      in
      scalar "singleLineStr" "(optionally newline-terminated) single-line string" base.check
      // {
        merge = loc: defs: lib.removeSuffix "\n" (base.merge loc defs);
      };
    separatedString =
      sep:
      scalar "separatedString" "strings concatenated with ${toJSON sep}" isString
      // {
        merge = _: defs: lib.concatStringsSep sep (lib.getValues defs);
      };
    lines = types.separatedString "\n";
    commas = types.separatedString ",";
    envVar = types.separatedString ":";
    path = scalar "path" "absolute path" (
      x: lib.isStringLike x && builtins.substring 0 1 (toString x) == "/"
    );
    pathInStore = scalar "pathInStore" "path in the Nix store" (
      x: lib.isStringLike x && match "${builtins.storeDir}/[^.].*" (toString x) != null
    );
    package = mkOptionType {
      name = "package";
      descriptionClass = "noun";
      check = x: lib.isDerivation x || lib.isStorePath x;
      merge = lib.mergeOneOption;
    };
    shellPackage = types.package // {
      check = x: lib.isDerivation x && x ? shellPath;
    };

    enum =
      values:
      let
        show =
          value:
          if isString value then
            "\"${value}\""
          else if builtins.isInt value then
            toString value
          else if builtins.isBool value then
            lib.boolToString value
          else
            "<${builtins.typeOf value}>";
        few = length values < 2;
      in
      mkOptionType {
        name = "enum";
        description =
          if values == [ ] then
            "impossible (empty enum)"
          else if few then
            "value ${show (head values)} (singular enum)"
          else
            "one of ${lib.concatMapStringsSep ", " show values}";
        descriptionClass = if few then "noun" else "conjunction";
        check = value: lib.elem value values;
        merge = lib.mergeEqualOption;
        nestedTypes = { inherit values; };
        typeMerge =
          other:
          if other.name == "enum" then
            types.enum (lib.unique (values ++ other.nestedTypes.values))
          else
            null;
      };

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

    /* A name is in the merged set only if one of its definitions is switched
       on. Finding that out evaluates the conditions of all names.
    */
    attrsOf =
      elemType:
      types.attrsWith { inherit elemType; };

    /* Every defined name is in the merged set, and no condition is evaluated
       before its value is asked for.
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
        # From definitions of the set to definitions of each name in it.
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

    # -- types made of other types

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

    /* Accepts `from` as well as `to`, and turns the former into the latter. */
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
        # A merged type would have lost the check.
        typeMerge = _: null;
      };

    # -- types made of modules

    submodule =
      modules:
      types.submoduleWith {
        modules = lib.toList modules;
        shorthandOnlyDefinesConfig = true;
      };

    /* A set with options of its own. Every definition is a module; as a plain
       set it is taken for the module's `config` if `shorthandOnlyDefinesConfig`.
    */
    submoduleWith =
      {
        modules,
        specialArgs ? { },
        shorthandOnlyDefinesConfig ? false,
        description ? null,
        class ? null,
      }@args:
      let
        base = lib.evalModules {
          inherit class specialArgs;
          modules = [ { _module.args.name = lib.mkOptionDefault "‹name›"; } ] ++ modules;
        };
        # For descriptions; there an unknown option is nobody's mistake.
        described = base.extendModules { modules = [ { _module.check = lib.mkForce false; } ]; };
        freeform = described._module.freeformType;
        asModule =
          def:
          if isAttrs def.value && shorthandOnlyDefinesConfig then
            {
              _file = def.file;
              config = def.value;
            }
          else
            {
              _file = def.file;
              imports = [ def.value ];
            };
      in
      mkOptionType {
        name = "submodule";
        description =
          if description != null then
            description
          else if freeform != null then
            "open submodule of ${nounOr "composite" freeform}"
          else
            "submodule";
        check = isModule;
        typeError = structured isModule;
        merge =
          loc: defs:
          (base.extendModules {
            prefix = loc;
            modules = [ { _module.args.name = lib.last loc; } ] ++ map asModule defs;
          }).config;
        emptyValue.value = base.config;
        getSubOptions = prefix: (described.extendModules { inherit prefix; }).options;
        getSubModules = modules;
        substSubModules = modules: types.submoduleWith (args // { inherit modules; });
        nestedTypes = {
          inherit args;
        };
        typeMerge =
          other:
          if other.name != "submodule" then
            null
          else
            types.submoduleWith (
              other.nestedTypes.args
              // lib.filterAttrs (_: arg: arg != null) args
              // {
                modules = other.nestedTypes.args.modules ++ modules;
                specialArgs = specialArgs // other.nestedTypes.args.specialArgs or { };
              }
            );
      };

    /* A module to be imported somewhere else: it is collected, not evaluated. */
    deferredModule = types.deferredModuleWith { };
    deferredModuleWith =
      {
        staticModules ? [ ],
      }:
      mkOptionType {
        name = "deferredModule";
        description = "module";
        descriptionClass = "noun";
        check = isModule;
        merge = loc: defs: {
          imports =
            staticModules
            ++ map (
              def: lib.setDefaultModuleLocation "${def.file}, via option ${showOption loc}" def.value
            ) defs;
        };
        getSubModules = staticModules;
        substSubModules = modules: types.deferredModuleWith { staticModules = modules; };
        nestedTypes = { inherit staticModules; };
        typeMerge =
          other:
          if other.name == "deferredModule" then
            types.deferredModuleWith {
              staticModules = staticModules ++ other.nestedTypes.staticModules;
            }
          else
            null;
      };

    /* The type of a type. */
    optionType = scalar "optionType" "optionType" isOptionType // {
      merge =
        loc: defs:
        lib.foldl' (
          merged: def:
          let
            next = merged.typeMerge def.value;
          in
          if next == null then lib.mergeOneOption loc defs else next
        ) (head defs).value (lib.drop 1 defs);
    };
  };
in
types
// {
  inherit
    isType
    setType
    isOptionType
    mkOptionType
    typeErrorOf
    ;
}
