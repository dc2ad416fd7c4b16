# Replaces github:nix-community/disko: the options for disks with partitions and
# file systems, and the file systems derived from them.
{
  inputs.nixpkgs.url = "nixpkgs";
  outputs = _: { nixosModules.disko.imports = [ ./module.nix ]; };
}
