# import <nixpkgs> { }
{
  system ? "x86_64-linux",
  ...
}:
import ./pkgs {
  inherit system;
  lib = import ./lib;
}
