# What the talk says of the machines, asked of their options: no VM needed.
{ pkgs, inputs }:
let
  inherit (pkgs) lib;
  inherit (inputs.self.nixosConfigurations) spa-vm spa-ami spa-hetzner;

  vm = spa-vm.config.virtualisation.vmVariant;
  vmware = spa-vm.config.system.build.images.vmware.passthru.config;
  ami = spa-ami.config;
  server = spa-hetzner.config;
  machines = {
    inherit
      vm
      vmware
      ami
      server
      ;
  };
  all = test: lib.all test (lib.attrValues machines);

  # The messages of the assertions that fail when a module is added.
  complaints =
    module:
    map (a: a.message) (
      lib.filter (a: !a.assertion) (spa-ami.extendModules { modules = [ module ]; }).config.assertions
    );

  promises = {
    "every machine serves the app" = all (m: m.services.spa-app.enable && m.services.nginx.enable);
    "every machine lets the port through its firewall" = all (
      m: lib.elem m.services.spa-app.port m.networking.firewall.allowedTCPPorts
    );
    "every machine says which release it was made for" = all (m: m.system.stateVersion == "26.05");
    "no machine carries the sources of nixpkgs" = all (m: !(m.nix ? registry.nixpkgs));

    "perl is banned wherever GRUB is not needed" = lib.all (
      m: lib.elem "perl" m.system.forbiddenDependenciesRegexes
    ) [ vm vmware ami ];
    "the image for EC2 boots by UEFI, without GRUB" =
      ami.ec2.efi && ami.boot.loader.systemd-boot.enable && !ami.boot.loader.grub.enable;
    "the image for VMware boots by UEFI, without GRUB" =
      vmware.boot.loader.systemd-boot.enable && !vmware.boot.loader.grub.enable;
    "the server boots by GRUB, on the disk that disko formats" =
      server.boot.loader.grub.enable
      && server.boot.loader.grub.devices == [ server.disko.devices.disk.main.device ];
    "the server asks for an address" = lib.any (n: n.networkConfig.DHCP or "no" == "yes") (
      lib.attrValues server.systemd.network.networks
    );

    "the demo's password is in the local VM only" =
      vm.users.users.root.initialPassword == "demo1234"
      && lib.all (m: m.users.users.root.initialPassword == null) [ vmware ami server ];
    "no image mounts what only QEMU has" =
      lib.all (fs: fs.fsType != "9p") (lib.attrValues vmware.fileSystems);

    "a port that sshd has is refused" = lib.any (lib.hasInfix "services.spa-app.port is 22") (
      complaints { services.spa-app.port = lib.mkForce 22; }
    );
    "a second default site on the port is refused" = lib.any (lib.hasInfix "\"other\"") (
      complaints { services.nginx.virtualHosts.other.default = true; }
    );
  };
  broken = lib.attrNames (lib.filterAttrs (_: kept: !kept) promises);
in
pkgs.runCommand "promises" { } (
  if broken == [ ] then
    "touch $out"
  else
    ''
      echo "These promises of the talk are broken:"
      printf -- '- %s\n' ${lib.escapeShellArgs broken}
      exit 1
    ''
)
