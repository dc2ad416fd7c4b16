# system.build.installTest: the test that `nixos-anywhere --vm-test` builds. A
# machine formats an empty disk, copies the system to it and installs the boot
# loader. Then a second machine boots from that disk only.
{
  config,
  lib,
  pkgs,
  extendModules,
  ...
}:
let
  cfg = config.disko.tests;
  disks = builtins.attrNames config.disko.devices.disk;

  # Device names of the disks. On the first machine they start at /dev/vdb, because
  # its own disk is /dev/vda.
  letters = lib.stringToCharacters "abcdefghijklmnop";
  devices =
    offset:
    builtins.listToAttrs (
      lib.imap0 (
        i: name: lib.nameValuePair name { device = lib.mkForce "/dev/vd${builtins.elemAt letters (i + offset)}"; }
      ) disks
    );
  installing = extendModules { modules = [ { disko.devices.disk = devices 1; } ]; };
  installed =
    (extendModules {
      modules = [
        cfg.extraConfig
        (pkgs.path + "/nixos/lib/testing/guest.nix")
        {
          disko.devices.disk = devices 0;
          boot.kernelParams = [ "console=ttyS0" ];
          boot.loader.timeout = lib.mkDefault 0; # skip the menu
          # The first machine installs GRUB, so use its device names. Weaker than
          # mkForce, as in the real disko.
          boot.loader.grub.devices = lib.mkOverride 70 installing.config.boot.loader.grub.devices;
        }
      ];
    }).config.system.build.toplevel;
  closure = pkgs.closureInfo { rootPaths = [ installed ]; };

  firmware = lib.optionalString cfg.efi (
    "-drive if=pflash,format=raw,readonly=on,file=${pkgs.OVMF}/FV/OVMF_CODE.fd "
    + "-drive if=pflash,format=raw,snapshot=on,file=${pkgs.OVMF}/FV/OVMF_VARS.fd "
  );
in
{
  system.build.installTest = pkgs.testers.runNixOSTest {
    name = "disko-${config.networking.hostName}-disko";

    nodes.machine = {
      virtualisation.emptyDiskImages = map (_: 4096) disks;
      virtualisation.additionalPaths = [
        closure
        installing.config.system.build.diskoScript
      ];
    };

    testScript = ''
      machine.start()
      with subtest("the disks are formatted and mounted"):
          machine.succeed("${lib.getExe installing.config.system.build.diskoScript}")

      with subtest("the system is installed"):
          machine.succeed(
              "mkdir -p /mnt/nix/store /mnt/nix/var/nix/profiles /mnt/boot /mnt/dev /mnt/proc /mnt/sys /mnt/tmp",
              "xargs cp -a -t /mnt/nix/store < ${closure}/store-paths",
              "ln -s ${installed} /mnt/nix/var/nix/profiles/system",
              "for dir in dev proc sys; do mount --bind /$dir /mnt/$dir; done",
              "chroot /mnt ${installed}/bin/install-boot-loader ${installed}",
              "sync",
          )
          machine.shutdown()

      with subtest("the system boots from its disks"):
          disks = " ".join(
              f"-drive file={machine.state_dir}/empty{i}.qcow2,if=virtio,format=qcow2"
              for i in range(${toString (builtins.length disks)})
          )
          machine = create_machine(
              "${pkgs.qemu}/bin/qemu-system-x86_64 -machine q35 -accel ''${LAB_ACCEL:-tcg} -cpu max -m 1024 "
              "-nodefaults -display none -serial stdio ${firmware}"
              f"-netdev user,id=user.0 -device virtio-net-pci,netdev=user.0,romfile= {disks}",
              name="booted_machine",
          )
          machine.start()
          ${lib.replaceStrings [ "\n" ] [ "\n    " ] cfg.bootCommands}
          machine.wait_for_unit("multi-user.target")

      ${cfg.extraChecks}
    '';
  };
}
