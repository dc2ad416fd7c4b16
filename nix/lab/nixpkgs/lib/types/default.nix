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
#   payload            what else it was made from, for typeMerge
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
