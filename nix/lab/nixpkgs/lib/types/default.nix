# The types of options: which definitions they accept, and how they merge them.
#
# A type is a set with
#   name, description  for messages
#   descriptionClass   "noun", "composite", "conjunction" or
#                      "nonRestrictiveClause": whether descriptions that
#                      contain this one need parentheses around it
#   check              value -> bool: whether one definition is valid. Does not
#                      evaluate the parts of the value, so that they stay lazy.
#   merge              loc -> [ { file, value } ] -> value. Checks the parts of
#                      the value.
#   typeError          loc -> [ { file, value } ] -> an error about all
#                      definitions, or null if they are valid. If typeError itself
#                      is null, `check` checks each definition.
#   emptyValue         { value = …; } if options without definitions have a value,
#                      otherwise { }
#   typeMerge          other type -> the type of an option that is declared with
#                      both types, or null if they cannot be merged
#   getSubOptions      prefix -> options inside the value
#   getSubModules      the modules of a submodule, otherwise null
#   substSubModules    modules -> the same type with other modules
#   nestedTypes        the types of which this one consists, by role
#   payload            other arguments of the type, for typeMerge
lib:
let
  isType = type: value: value._type or null == type;
in
import ./simple.nix lib
// import ./collections.nix lib
// import ./combined.nix lib
// import ./modules.nix lib
// {
  inherit isType;
  setType = type: value: value // { _type = type; };
  isOptionType = isType "option-type";
  inherit (import ./option-type.nix lib) mkOptionType typeErrorOf;
}
