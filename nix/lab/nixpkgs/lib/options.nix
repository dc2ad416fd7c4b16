# Functions that declare options, and format options and definitions for messages.
#
# An option declaration is a set with `_type = "option"`. A definition is a set
# { file, value } with the value from one module and the module's file. `loc` is
# the path of an option, a list of names.
lib:
let
  inherit (builtins) filter head length;
  inherit (lib.options) showDefs;

  changePriority = "Use `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.\n";
in
{
  # -- declaring

  isOption = lib.isType "option";
  mkOption =
    {
      type ? null,
      default ? null,
      defaultText ? null,
      example ? null,
      description ? null,
      apply ? null,
      readOnly ? null,
      internal ? null,
      visible ? null,
      relatedPackages ? null,
    }@option:
    option // { _type = "option"; };
  mkEnableOption =
    what:
    lib.mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${what}.";
    };
  mkPackageOption =
    pkgs: name:
    {
      default ? name,
      nullable ? false,
      example ? null,
      extraDescription ? "",
      pkgsText ? "pkgs",
    }:
    let
      path = lib.toList default;
      shownPath = lib.concatMapStringsSep "." lib.strings.escapeNixIdentifier path;
      missing = throw "${shownPath} cannot be found in ${pkgsText}";
    in
    lib.mkOption (
      {
        type = if nullable then lib.types.nullOr lib.types.package else lib.types.package;
        description = lib.concatStringsSep " " (
          [ "The ${lib.last (lib.toList name)} package to use." ]
          ++ lib.optional (extraDescription != "") extraDescription
        );
      }
      // lib.optionalAttrs (example != null) { inherit example; }
      // (
        if default != null then
          {
            default = lib.attrByPath path missing pkgs;
            defaultText = lib.literalExpression "${pkgsText}.${shownPath}";
          }
        else
          lib.optionalAttrs nullable { default = null; }
      )
    );

  # Texts for manuals. The lab does not build manuals, but modules use these functions.
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };

  # -- merging definitions: loc -> [ { file, value } ] -> value

  getValues = map (def: def.value);
  getFiles = map (def: def.file);

  /* Requires all definitions to be equal. */
  mergeEqualOption =
    loc: defs:
    let
      first = head defs;
      other = lib.findFirst (def: def.value != first.value) null (lib.drop 1 defs);
    in
    if length defs == 1 || other == null then
      first.value
    else
      throw "The option `${lib.showOption loc}' has conflicting definition values:${
        showDefs [
          first
          other
        ]
      }\n${changePriority}";

  /* Requires exactly one definition. */
  mergeOneOption = lib.mergeUniqueOption { message = ""; };
  mergeUniqueOption =
    {
      message,
      merge ? _: defs: (head defs).value,
    }:
    loc: defs:
    if length defs == 1 then
      merge loc defs
    else
      throw "The option `${lib.showOption loc}' is defined multiple times while it's expected to be unique.\n${message}\nDefinition values:${showDefs defs}\n${changePriority}";

  /* Merges the definitions of options without a type, according to their values. */
  mergeDefaultOption =
    loc: defs:
    let
      values = lib.getValues defs;
      every = predicate: lib.all predicate values;
    in
    if length values == 1 then
      head values
    else if every lib.isFunction then
      x: lib.mergeDefaultOption loc (map (def: def // { value = def.value x; }) defs)
    else if every builtins.isList then
      lib.concatLists values
    else if every builtins.isAttrs then
      lib.mergeAttrsList values
    else if every builtins.isBool then
      lib.any lib.id values
    else if every builtins.isString then
      lib.concatStrings values
    else if every builtins.isInt && every (value: value == head values) then
      head values
    else
      throw "Cannot merge definitions of `${lib.showOption loc}'. Definition values:${showDefs defs}";

  # -- formatting

  /* Formats `[ "a" "b.c" ]` as `a."b.c"`. Does not quote placeholders such as `<name>`. */
  showOption = lib.concatMapStringsSep "." (
    part:
    if part == "*" || builtins.match "<.*>" part != null then
      part
    else
      lib.strings.escapeNixIdentifier part
  );
  showFiles = lib.concatMapStringsSep " and " (file: "`${file}'");

  /* Formats each definition as a line or block: its file, and its value unless
     evaluating the value fails. Shows at most five lines of a value.
  */
  showDefs = lib.concatMapStrings (
    def:
    let
      shown = builtins.tryEval (lib.generators.toPretty { maxDepth = 10; } def.value);
      lines = filter builtins.isString (builtins.split "\n" shown.value);
      indented = lib.concatStringsSep "\n    " (
        lib.take 5 lines ++ lib.optional (length lines > 5) "..."
      );
    in
    "\n- In `${def.file}'"
    + (
      if !shown.success then
        ""
      else if length lines > 1 then
        ":\n    ${indented}"
      else
        ": ${indented}"
    )
  );

  unknownModule = "<unknown-file>";
}
