# Builds an ext4 image, labeled "nix-store", with the closure of `rootPaths`.
{ pkgs }:
{ rootPaths }:
pkgs.runCommand "nix-store-image"
  {
    closure = pkgs.closureInfo { inherit rootPaths; };
    nativeBuildInputs = [ pkgs.e2fsprogs ];
  }
  ''
    mkdir -p store $out
    xargs cp -a -t store < $closure/store-paths
    size=$(($(du -sk store | cut -f1) * 11 / 10 + 4096))
    mke2fs -q -t ext4 -O ^has_journal -L nix-store -E root_owner=0:0 -d store \
      $out/store.img ''${size}k
  ''
