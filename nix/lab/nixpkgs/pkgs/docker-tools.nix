# Builds container images for `docker load`, with one layer per store path, like
# dockerTools in nixpkgs.
{
  lib,
  closureInfo,
  python3,
  runCommand,
  stdenv,
  writeText,
}:
{
  buildLayeredImage =
    {
      name,
      tag ? null,
      contents ? [ ],
      config ? { },
      created ? "1970-01-01T00:00:01Z",
      extraCommands ? "",
      maxLayers ? 100,
    }:
    let
      image = writeText "${baseNameOf name}.json" (
        builtins.toJSON {
          inherit created config;
          architecture = if stdenv.hostPlatform.isAarch64 then "arm64" else "amd64";
          os = "linux";
        }
      );
    in
    runCommand "${baseNameOf name}.tar.gz"
      {
        inherit image maxLayers;
        contents = lib.toList contents;
        closure = closureInfo { rootPaths = [ image ] ++ lib.toList contents; };
        nativeBuildInputs = [ python3 ];
        passthru = {
          imageName = name;
          imageTag = if tag == null then "latest" else tag;
        };
      }
      ''
        mkdir root
        for path in $contents; do
          cp -rs "$path/." root/
          chmod -R u+w root
        done
        (
          cd root
          ${extraCommands}
        )
        # Leaves out the image's JSON description.
        grep -vxF $image $closure/store-paths > store-paths || true
        python3 ${./layered-image.py} $out ${name}:${if tag == null then "latest" else tag} \
          $image store-paths root $maxLayers
      '';
}
