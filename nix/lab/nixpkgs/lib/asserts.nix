# Conditions for `assert` that say what is wrong.
lib:
let
  show = lib.generators.toPretty { };
in
{
  assertMsg = condition: message: condition || throw message;
  assertOneOf =
    name: value: allowed:
    lib.assertMsg (lib.elem value allowed)
      "${name} must be one of ${show allowed}, but is: ${show value}";
}
