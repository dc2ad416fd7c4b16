# Replaces github:nix-community/srvos: its module for the Hetzner Cloud.
{
  inputs.nixpkgs.url = "nixpkgs";
  outputs = _: { nixosModules.hardware-hetzner-cloud.imports = [ ./hetzner-cloud.nix ]; };
}
