# Attributes of the host platform.
{ lib, system }:
let
  inherit (lib) hasPrefix hasSuffix;
in
{
  inherit system;
  isLinux = hasSuffix "-linux" system;
  isDarwin = hasSuffix "-darwin" system;
  isx86_64 = hasPrefix "x86_64-" system;
  isAarch64 = hasPrefix "aarch64-" system;
  linuxArch = if hasPrefix "aarch64-" system then "arm64" else "x86_64";
}
