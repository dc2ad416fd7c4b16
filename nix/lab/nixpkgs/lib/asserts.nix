# Conditions for `assert`, with error messages.
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
