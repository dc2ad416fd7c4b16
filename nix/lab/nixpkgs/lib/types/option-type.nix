# Making types: `mkOptionType`, and what the types of this library share.
lib:
let
  inherit (builtins) filter;

  /* A type of one's own: `name` is enough, the rest has defaults. Whatever else
     NixOS's types can carry is accepted, and not used.
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
