# Functions that print values during evaluation.
lib:
let
  inherit (builtins) deepSeq trace;
in
{
  traceIf = condition: message: if condition then trace message else lib.id;
  traceVal = value: trace value value;
  traceValFn = f: value: trace (f value) value;
  traceSeq = shown: trace (deepSeq shown shown);
  traceValSeq = value: lib.traceSeq value value;
}
