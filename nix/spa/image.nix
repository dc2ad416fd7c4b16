# The container image: nginx, the app and the libraries they need, one layer
# per store path. To run it: `docker load < result`, then
# `docker run --rm -p 8080:8080 spa:1.0.0`.
{
  callPackage,
  dockerTools,
  lib,
  nginx,
  spa,
}:
# #region image
dockerTools.buildLayeredImage {
  name = "spa";
  tag = spa.version;

  # No shell, no package manager, no root: only one writable directory.
  extraCommands = "mkdir -m 1777 tmp";

  config = {
    User = "65534:65534"; # nobody
    ExposedPorts."8080/tcp" = { };
    Cmd = [
      (lib.getExe nginx)
      "-e"
      "stderr"
      "-c"
      (callPackage ./nginx.nix { inherit nginx spa; })
    ];
  };
}
# #endregion image
