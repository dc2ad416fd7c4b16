# The SPA is ES modules that browsers run as they are: building it means
# giving the assets a path that changes with their content.
{ lib, stdenvNoCC }:
let
  sources = builtins.path {
    path = ./src;
    name = "spa-src";
  };
  # The first characters of the hash in the name of the store path.
  hash = lib.substring 11 8 "${sources}";
in
# #region package
stdenvNoCC.mkDerivation {
  pname = "spa";
  version = "1.0.0";
  src = ./.;

  installPhase = ''
    mkdir -p $out/assets
    cp -r ${sources} $out/assets/${hash}
    sed 's|/src/|/assets/${hash}/|g' index.html > $out/index.html
  '';
}
# #endregion package
