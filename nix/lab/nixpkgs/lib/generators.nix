# Functions that generate configuration files and Nix syntax from values.
lib:
let
  inherit (builtins)
    concatStringsSep
    isAttrs
    isList
    isString
    ;
in
{
  # -- simple configuration files

  toJSON = _: builtins.toJSON;
  toYAML = _: builtins.toJSON;
  mkValueStringDefault =
    _: value:
    if value == null then
      "null"
    else if builtins.isBool value then
      lib.boolToString value
    else if isList value || (isAttrs value && !lib.isStringLike value) || lib.isFunction value then
      throw "generators.mkValueStringDefault: not supported: ${lib.generators.toPretty { } value}"
    else
      toString value;
  mkKeyValueDefault =
    {
      mkValueString ? lib.generators.mkValueStringDefault { },
    }:
    sep: key: value:
    "${lib.escape [ sep ] key}${sep}${mkValueString value}";
  toKeyValue =
    {
      mkKeyValue ? lib.generators.mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
      indent ? "",
    }:
    set:
    let
      line = key: value: "${indent}${mkKeyValue key value}\n";
      lines =
        key: value:
        if listsAsDuplicateKeys then
          lib.concatMapStrings (line key) (lib.toList value)
        else
          line key value;
    in
    lib.concatStrings (lib.mapAttrsToList lines set);
  toINI =
    {
      mkSectionName ? name: lib.escape [ "[" "]" ] name,
      mkKeyValue ? lib.generators.mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
    }:
    sections:
    concatStringsSep "\n" (
      lib.mapAttrsToList (
        name: keys:
        "[${mkSectionName name}]\n"
        + lib.generators.toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } keys
      ) sections
    );

  # -- Nix values

  /* Formats a value in Nix syntax. Values nested in more than `maxDepth` sets and
     lists are shown as "<unevaluated>", which is necessary for infinite values.
     null means no limit.
  */
  toPretty =
    {
      multiline ? true,
      indent ? "",
      maxDepth ? null,
      allowPrettyValues ? false,
    }:
    let
      show =
        indent: depth: value:
        let
          open = if multiline then "\n${indent}  " else " ";
          close = if multiline then "\n${indent}" else " ";
          inner = show "${indent}  " (depth + 1);
          # At the limit, sets and lists are shown, but not their content.
          level = if isAttrs value || isList value then depth else depth + 1;
        in
        if maxDepth != null && level > maxDepth then
          "\"<unevaluated>\""
        else if isString value then
          showString indent value
        else if builtins.isPath value then
          toString value
        else if isList value then
          if value == [ ] then
            "[ ]"
          else
            "[${open}${concatStringsSep open (map inner value)}${close}]"
        else if lib.isFunction value then
          showFunction value
        else if !isAttrs value then
          builtins.toJSON value
        else if allowPrettyValues && value ? __pretty && value ? val then
          value.__pretty value.val
        else if value == { } then
          "{ }"
        else if lib.isDerivation value then
          "<derivation ${value.name or "???"}>"
        else
          "{${open}${
            concatStringsSep open (
              lib.mapAttrsToList (name: item: "${lib.strings.escapeNixIdentifier name} = ${inner item};") value
            )
          }${close}}";

      # Strings with several lines use the syntax with two single quotes.
      showString =
        indent: string:
        let
          lines = lib.splitString "\n" string;
          escape = lib.replaceStrings [ "\${" "''" ] [ "''\${" "'''" ];
          separator = "\n${indent}  ";
        in
        if multiline && builtins.length lines > 1 then
          "''"
          + separator
          + concatStringsSep separator (map escape (lib.init lines))
          + (if lib.last lines == "" then "\n${indent}" else separator + escape (lib.last lines))
          + "''"
        else
          lib.strings.escapeNixString string;

      showFunction =
        f:
        let
          args = lib.mapAttrsToList (name: optional: if optional then "${name}?" else name) (
            lib.functionArgs f
          );
        in
        if args == [ ] then "<function>" else "<function, args: {${concatStringsSep ", " args}}>";
    in
    show indent 0;
}
