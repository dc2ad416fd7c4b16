# Builds a Nix package from the files of Debian packages. Patches each program and
# library to use libraries from the Nix store, so that closures,
# `nix why-depends` and the sizes of images are real.
{
  lib,
  debian, # directory with the unpacked Debian packages: see ../../collect.sh
  mkDerivation,
}:
let
  source = package: "${debian}/${package}";
  libraryDir = package: "${source package}/usr/lib/x86_64-linux-gnu";

  # patchelf from Debian, which needs the dynamic loader from the unpacked libc6.
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
  packages, # names of the Debian packages whose files to copy
  libraries, # Nix packages with the shared libraries that the files need
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
  # Empty for packages that need no patches: firmware, static programs, glibc.
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
      # Not in share, which contains firmware for other architectures.
      mkdir -p $out/bin $out/lib
      find $out/bin $out/lib -type f | while read -r file; do
        [ "$(head -c 4 "$file")" = "$(printf '\177ELF')" ] || continue
        ${patchelf} --force-rpath --set-rpath "$out/lib:$libraryPath" "$file"
        # Keeps only the directories that contain a library the file needs.
        ${patchelf} --force-rpath --shrink-rpath "$file"
        # The interpreter comes last: after patchelf 0.18 has set it, another
        # edit breaks programs that are not position-independent.
        if ${patchelf} --print-interpreter "$file" > /dev/null 2>&1; then
          ${patchelf} --set-interpreter $interpreter "$file"
        fi
      done
      rmdir $out/bin $out/lib 2> /dev/null || true
    fi
  '';
}
