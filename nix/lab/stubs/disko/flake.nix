# Stands in for github:nix-community/disko: its options as far as a disk with
# partitions and file systems goes, and the file systems that follow from them.
{
  inputs.nixpkgs.url = "nixpkgs";
  outputs = _: { nixosModules.disko.imports = [ ./module.nix ]; };
}
