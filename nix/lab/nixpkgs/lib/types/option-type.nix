# `mkOptionType`, and functions that the types in this library share.
lib:
let
  inherit (builtins) filter;

  /* Creates a type. Only `name` is required. Accepts the other attributes of
     NixOS's types, but ignores them.
  */
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
      payload ? null,
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
        payload
        ;
    };

  /* The error in definitions of a type, as the end of a message. Null if they are valid. */
  typeErrorOf =
    type: loc: defs:
    if type.typeError or null != null then
      type.typeError loc defs
    else
      rejected "Definition values:" type.check defs;

  # An error with `introduction` and the definitions that `check` rejects, or null.
  rejected =
    introduction: check: defs:
    let
      wrong = filter (def: !check def.value) defs;
    in
    if wrong == [ ] then null else introduction + lib.options.showDefs wrong;

  # The typeError of types that consist of other types.
  structured = check: _: rejected "TypeError: Definition values: " check;

  # A typeMerge for simple types, which can be merged only with themselves.
  mergeIfSame =
    name: description: other:
    if other.name == name && other.description == description then other else null;

  # A description to use inside another one, with parentheses if its class needs them.
  phrase =
    safe: type:
    if lib.elem type.descriptionClass safe then type.description else "(${type.description})";
  nounOr = class: phrase [ "noun" class ];

  # A type of simple values. All definitions must be equal.
  scalar =
    name: description: check:
    mkOptionType {
      inherit name description check;
      descriptionClass = "noun";
      merge = lib.mergeEqualOption;
    };

  # A type that wraps another type. typeMerge merges the wrapped types.
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

  # Merges the definitions of one part of a value. Returns a set without `value` if
  # the conditions of all definitions are false.
  mergePart = loc: type: defs: (lib.modules.mergeDefinitions loc type defs).optionalValue;
in
{
  inherit
    mkOptionType
    typeErrorOf
    structured
    mergeIfSame
    phrase
    nounOr
    scalar
    wrapping
    mergePart
    ;
}
