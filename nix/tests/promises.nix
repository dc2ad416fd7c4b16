# Checks the claims of the talk against the options of the machines. Needs no VM.
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

  # Messages of the assertions that fail when `module` is added.
  failedAssertions =
    module:
    map (a: a.message) (
      lib.filter (a: !a.assertion) (spa-ami.extendModules { modules = [ module ]; }).config.assertions
    );

  promises = {
    "every machine serves the app" = all (m: m.services.spa-app.enable && m.services.nginx.enable);
    "every machine opens its port in the firewall" = all (
      m: lib.elem m.services.spa-app.port m.networking.firewall.allowedTCPPorts
    );
    "every machine sets its stateVersion" = all (m: m.system.stateVersion == "26.05");
    "no machine contains the source of nixpkgs" = all (m: !(m.nix ? registry.nixpkgs));

    "Perl is banned on all machines without GRUB" = lib.all (
      m: lib.elem "perl" m.system.forbiddenDependenciesRegexes
    ) [ vm vmware ami ];
    "the image for EC2 boots with UEFI and without GRUB" =
      ami.ec2.efi && ami.boot.loader.systemd-boot.enable && !ami.boot.loader.grub.enable;
    "the image for VMware boots with UEFI and without GRUB" =
      vmware.boot.loader.systemd-boot.enable && !vmware.boot.loader.grub.enable;
    "the server boots with GRUB from the disk that disko formats" =
      server.boot.loader.grub.enable
      && server.boot.loader.grub.devices == [ server.disko.devices.disk.main.device ];
    "the server gets its address by DHCP" = lib.any (n: n.networkConfig.DHCP or "no" == "yes") (
      lib.attrValues server.systemd.network.networks
    );

    "only the local VM has the demo password" =
      vm.users.users.root.initialPassword == "demo1234"
      && lib.all (m: m.users.users.root.initialPassword == null) [ vmware ami server ];
    "no image mounts file systems that only QEMU provides" =
      lib.all (fs: fs.fsType != "9p") (lib.attrValues vmware.fileSystems);

    "a port that sshd uses is rejected" = lib.any (lib.hasInfix "services.spa-app.port is 22") (
      failedAssertions { services.spa-app.port = lib.mkForce 22; }
    );
    "a second default site on the port is rejected" = lib.any (lib.hasInfix "\"other\"") (
      failedAssertions { services.nginx.virtualHosts.other.default = true; }
    );
  };
  failed = lib.attrNames (lib.filterAttrs (_: holds: !holds) promises);
in
pkgs.runCommand "promises" { } (
  if failed == [ ] then
    "touch $out"
  else
    ''
      echo "These claims of the talk do not hold:"
      printf -- '- %s\n' ${lib.escapeShellArgs failed}
      exit 1
    ''
)
