# Types of simple values: booleans, numbers, strings, paths and packages.
lib:
let
  inherit (builtins)
    head
    isString
    length
    match
    toJSON
    ;
  inherit (lib) types;
  inherit (import ./option-type.nix lib) mergeIfSame mkOptionType scalar;

  # A type with an additional check and its own name.
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
in
{
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

  # -- choices

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
      payload = { inherit values; };
      typeMerge =
        other:
        if other.name == "enum" then
          types.enum (lib.unique (values ++ other.payload.values))
        else
          null;
    };
}
