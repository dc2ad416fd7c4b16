# Stands in for github:nix-community/srvos: what its module for the Hetzner
# Cloud sets.
{
  inputs.nixpkgs.url = "nixpkgs";
  outputs = _: { nixosModules.hardware-hetzner-cloud.imports = [ ./hetzner-cloud.nix ]; };
}
