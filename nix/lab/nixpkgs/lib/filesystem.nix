# Functions that read directories.
lib:
let
  inherit (builtins) readDir;
  typeOf = path: (readDir (dirOf path)).${baseNameOf path};
in
{
  pathType = typeOf;
  pathIsDirectory = path: builtins.pathExists path && typeOf path == "directory";
  pathIsRegularFile = path: builtins.pathExists path && typeOf path == "regular";
  listFilesRecursive =
    directory:
    lib.flatten (
      lib.mapAttrsToList (
        name: type:
        if type == "directory" then
          lib.filesystem.listFilesRecursive (directory + "/${name}")
        else
          directory + "/${name}"
      ) (readDir directory)
    );
}
