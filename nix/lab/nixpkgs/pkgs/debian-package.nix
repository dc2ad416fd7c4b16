# Makes a Nix package of Debian packages: their files, with each program and
# library patched to look for its libraries in the Nix store. So closures,
# `nix why-depends` and the bytes on an image are real.
{
  lib,
  debian, # the unpacked Debian packages: see ../../collect.sh
  mkDerivation,
}:
let
  source = package: "${debian}/${package}";
  libraryDir = package: "${source package}/usr/lib/x86_64-linux-gnu";

  # patchelf itself, run by the dynamic loader that is still unpackaged.
  patchelf = toString [
    "${libraryDir "libc6"}/ld-linux-x86-64.so.2"
    "--library-path"
    (lib.concatMapStringsSep ":" libraryDir [
      "libc6"
      "libgcc-s1"
      "libstdc++6"
    ])
    "${source "patchelf"}/usr/bin/patchelf"
  ];
in
{
  pname,
  version,
  packages, # names of the Debian packages whose files to take
  libraries, # Nix packages with the shared libraries they need
  postInstall ? "",
  meta ? { },
}:
let
  glibc = lib.findFirst (l: l.pname == "glibc") null libraries;
in
mkDerivation {
  inherit pname version meta;

  trees = map source packages;
  libraryPath = lib.makeLibraryPath libraries;
  # Without one there is nothing to patch: firmware, static programs, glibc.
  interpreter = lib.optionalString (glibc != null) "${glibc}/lib/ld-linux-x86-64.so.2";

  buildCommand = ''
    mkdir -p $out
    for tree in $trees; do
      for part in usr/bin:bin usr/sbin:bin usr/lib:lib usr/share:share etc:etc; do
        from=$tree/''${part%:*} to=$out/''${part#*:}
        [ -d $from ] || continue
        mkdir -p $to
        cp -a $from/. $to/
      done
    done
    chmod -R u+w $out
    if [ -d $out/lib/x86_64-linux-gnu ]; then
      cp -a $out/lib/x86_64-linux-gnu/. $out/lib/
      rm -rf $out/lib/x86_64-linux-gnu
    fi
    ${postInstall}

    if [ -n "$interpreter" ]; then
      # Not in share, where the firmware of foreign machines lies.
      mkdir -p $out/bin $out/lib
      find $out/bin $out/lib -type f | while read -r file; do
        [ "$(head -c 4 "$file")" = "$(printf '\177ELF')" ] || continue
        if ${patchelf} --print-interpreter "$file" > /dev/null 2>&1; then
          ${patchelf} --set-interpreter $interpreter "$file"
        fi
        # Only the directories that hold a library the file asks for stay.
        ${patchelf} --force-rpath --set-rpath "$out/lib:$libraryPath" "$file"
        ${patchelf} --force-rpath --shrink-rpath "$file"
      done
      rmdir $out/bin $out/lib 2> /dev/null || true
    fi
  '';
}
