# Stage 2, the first program on the real root file system: applies the
# configuration, then executes busybox's init, which starts the units.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  # In this order, because later scripts depend on earlier ones.
  steps = [
    "etc"
    "kernel"
    "network"
    "users"
  ];
  scripts = config.system.activationScripts;
  ordered = map (name: scripts.${name}) steps ++ builtins.attrValues (removeAttrs scripts steps);

  # Creates the links to disks that udev would create: all partition labels, and
  # the labels and UUIDs that the configuration uses.
  named = kind: builtins.filter (lib.hasPrefix "/dev/disk/by-${kind}/") (
    map (f: toString f.device) (builtins.attrValues config.fileSystems)
  );
  link = kind: device: ''
    found=$(findfs ${lib.toUpper kind}=${baseNameOf device}) && ln -sfn "$found" ${device}
  '';
  diskLinks = ''
    mkdir -p /dev/disk/by-label /dev/disk/by-partlabel /dev/disk/by-uuid
    for block in /sys/class/block/*; do
      name=$(sed -n 's/^PARTNAME=//p' "$block/uevent")
      [ -z "$name" ] || ln -sfn "../../''${block##*/}" "/dev/disk/by-partlabel/$name"
    done
    ${lib.concatMapStrings (link "label") (named "label")}
    ${lib.concatMapStrings (link "uuid") (named "uuid")}
  '';
in
{
  options = {
    system.activationScripts = mkOption {
      type = types.attrsOf types.lines;
      default = { };
      description = "Shell scripts that apply the configuration.";
    };
    lab.inittab = mkOption {
      type = types.lines;
      default = "";
      internal = true;
      description = "Lines in the inittab of busybox's init.";
    };
  };

  config = {
    lab.inittab = ''
      ::wait:${config.systemd.package}/lib/systemd/boot
      ::ctrlaltdel:${pkgs.busybox}/bin/reboot
      ::shutdown:${config.systemd.package}/bin/systemctl stop-all
      ::shutdown:${pkgs.busybox}/bin/umount -a -r
    '';
    environment.etc.inittab.text = config.lab.inittab;
    environment.etc.fstab.text = lib.concatMapStrings (f: ''
      ${f.device} ${f.mountPoint} ${f.fsType} ${lib.concatStringsSep "," f.options} 0 0
    '') (builtins.attrValues config.fileSystems);

    # toplevel.nix replaces "@systemConfig@" with the path of the system.
    system.build.activate = pkgs.writeScript "activate" ''
      #!${pkgs.busybox}/bin/sh
      systemConfig=@systemConfig@
      export PATH=${pkgs.busybox}/bin
      mkdir -p /bin /lib /root /run /tmp /usr/bin /var/empty /var/lib /var/log
      ln -sfn /run/current-system/sw/bin/bash /bin/sh
      ln -sfn /run/current-system/sw/bin/env /usr/bin/env
      ln -sfn $systemConfig /run/current-system
      ${lib.concatStringsSep "\n" ordered}
    '';
    system.build.bootStage2 = pkgs.writeScript "stage-2-init" ''
      #!${pkgs.busybox}/bin/sh
      export PATH=${pkgs.busybox}/bin HOME=/root
      echo "<<< NixOS Stage 2 >>>"
      echo
      mkdir -p /run /tmp /dev/pts /dev/shm
      mount -t tmpfs -o mode=755 tmpfs /run
      mount -t devpts -o mode=620 devpts /dev/pts
      mount -t tmpfs tmpfs /dev/shm
      chmod 1777 /tmp /dev/shm
      ln -sfn /proc/self/fd /dev/fd
      ln -sfn @systemConfig@ /run/booted-system
      @systemConfig@/activate
      ${diskLinks}
      ${lib.concatMapStrings (f: ''
        mkdir -p ${f.mountPoint}
        mount -t ${f.fsType} -o ${lib.concatStringsSep "," f.options} ${
          if f.device == null then f.fsType else f.device
        } ${f.mountPoint}
      '') config.system.build.fileSystems.late}
      exec ${pkgs.busybox}/bin/init
    '';
  };
}
