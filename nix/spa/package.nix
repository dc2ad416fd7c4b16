# The SPA consists of ES modules that browsers run without a bundler. The build
# only moves the assets to a path that contains a hash of their content.
{ lib, stdenvNoCC }:
let
  sources = builtins.path {
    path = ./src;
    name = "spa-src";
  };
  # The first eight characters of the store path's hash.
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
