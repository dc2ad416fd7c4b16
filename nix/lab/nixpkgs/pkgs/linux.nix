# The kernel, with the modules that collect.sh keeps for virtual machines.
{
  lib,
  debian,
  runCommand,
  image, # name of the kernel's package, for example "linux-image-6.1.0-56-cloud-amd64"
  packages, # names of all its packages: some releases have the modules in a separate one
  version,
}:
let
  modDirVersion = lib.removePrefix "linux-image-" image;
  kernels = lib.concatMap (package: [
    "${debian}/${package}/boot/vmlinuz-${modDirVersion}"
    "${debian}/${package}/usr/lib/modules/${modDirVersion}/vmlinuz"
  ]) packages;
in
runCommand "linux-${version}"
  {
    inherit version;
    passthru = { inherit modDirVersion; };
  }
  ''
    . ${./copy-first.sh}
    mkdir -p $out/lib/modules
    copy_first $out/bzImage ${toString kernels}
    ${lib.concatMapStrings (package: ''
      modules=${debian}/${package}/usr/lib/modules/${modDirVersion}
      [ ! -d $modules ] || cp -r $modules $out/lib/modules/
      chmod -R u+w $out
    '') packages}
    depmod -b $out ${modDirVersion}
  ''
