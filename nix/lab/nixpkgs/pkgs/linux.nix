# The kernel with the modules that a virtual machine needs.
{
  lib,
  debian,
  runCommand,
  image, # "linux-image-6.1.0-56-cloud-amd64"
  packages, # the image, and where it is a package of its own, the modules
  version,
}:
let
  modDirVersion = lib.removePrefix "linux-image-" image;
in
runCommand "linux-${version}"
  {
    inherit version;
    passthru = { inherit modDirVersion; };
  }
  ''
    mkdir -p $out/lib/modules
    ${lib.concatMapStrings (package: ''
      for kernel in ${debian}/${package}/boot/vmlinuz-*; do
        [ ! -e $kernel ] || cp $kernel $out/bzImage
      done
      modules=${debian}/${package}/usr/lib/modules/${modDirVersion}
      [ ! -d $modules ] || cp -r $modules $out/lib/modules/
      chmod -R u+w $out
    '') packages}
    depmod -b $out ${modDirVersion}
  ''
