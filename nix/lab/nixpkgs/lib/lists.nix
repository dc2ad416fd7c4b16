# Functions on lists.
lib:
let
  inherit (builtins)
    elem
    elemAt
    filter
    foldl'
    genList
    head
    isList
    length
    ;
in
{
  inherit (builtins)
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    groupBy
    head
    isList
    length
    map
    partition
    sort
    tail
    ;

  # -- creating lists

  singleton = x: [ x ];
  toList = x: if isList x then x else [ x ];
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  range = first: last: if first > last then [ ] else genList (i: first + i) (last - first + 1);
  replicate = n: x: genList (_: x) n;

  # -- folding

  foldr =
    f: end: list:
    let
      from = i: if i == length list then end else f (elemAt list i) (from (i + 1));
    in
    from 0;
  fold = lib.foldr;
  foldl =
    f: start: list:
    let
      upTo = i: if i == 0 then start else f (upTo (i - 1)) (elemAt list (i - 1));
    in
    upTo (length list);
  count = predicate: list: length (filter predicate list);

  # -- parts of a list

  last =
    list:
    lib.throwIf (list == [ ]) "lists.last: list must not be empty!" (
      elemAt list (length list - 1)
    );
  init =
    list:
    lib.throwIf (list == [ ]) "lists.init: list must not be empty!" (
      lib.take (length list - 1) list
    );
  take = lib.sublist 0;
  drop = n: list: lib.sublist n (length list) list;
  takeEnd = n: list: lib.drop (lib.max 0 (length list - n)) list;
  dropEnd = n: list: lib.take (lib.max 0 (length list - n)) list;
  sublist =
    start: count: list:
    genList (i: elemAt list (start + i)) (lib.max 0 (lib.min count (length list - start)));
  remove = x: filter (y: y != x);
  subtractLists = unwanted: filter (x: !elem x unwanted);
  intersectLists = a: filter (x: elem x a);
  mutuallyExclusive = a: b: lib.intersectLists a b == [ ];

  # -- finding

  findFirst =
    predicate: default: list:
    let
      index = lib.lists.findFirstIndex predicate null list;
    in
    if index == null then default else elemAt list index;
  findFirstIndex =
    predicate: default: list:
    let
      from =
        i:
        if i == length list then
          default
        else if predicate (elemAt list i) then
          i
        else
          from (i + 1);
    in
    from 0;
  findSingle =
    predicate: none: many: list:
    let
      found = filter predicate list;
    in
    if found == [ ] then
      none
    else if length found == 1 then
      head found
    else
      many;

  # -- transforming

  imap0 = f: list: genList (i: f i (elemAt list i)) (length list);
  imap1 = f: lib.imap0 (i: f (i + 1));
  forEach = list: f: map f list;
  flatten = x: if isList x then lib.concatMap lib.flatten x else [ x ];
  reverseList = list: genList (i: elemAt list (length list - 1 - i)) (length list);
  unique = foldl' (seen: x: if elem x seen then seen else seen ++ [ x ]) [ ];
  allUnique = list: length (lib.unique list) == length list;
  zipListsWith =
    f: a: b:
    genList (i: f (elemAt a i) (elemAt b i)) (lib.min (length a) (length b));
  zipLists = lib.zipListsWith (fst: snd: { inherit fst snd; });
  crossLists = f: foldl' (fs: args: lib.concatMap (f': map f' args) fs) [ f ];
  sortOn = key: builtins.sort (a: b: key a < key b);
  naturalSort = builtins.sort (a: b: builtins.compareVersions a b < 0);
  groupBy' =
    merge: start: key: list:
    builtins.mapAttrs (_: foldl' merge start) (builtins.groupBy key list);
}
