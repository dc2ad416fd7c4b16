# The script that makes the disks what disko.devices declares, and mounts them
# on /mnt. It wipes them.
{
  lib,
  pkgs,
  partitions, # of all disks: { device, label, number, partition }, in order
}:
let
  path = lib.makeBinPath [
    pkgs.dosfstools
    pkgs.e2fsprogs
    pkgs.sfdisk
    pkgs.busybox # has a mke2fs of its own, for ext2
  ];
  onDisk = lib.groupBy (p: p.device) partitions;

  # The kinds that have a shorter name than their number.
  types = {
    "8300" = "linux";
    EF00 = "uefi";
    EF02 = "21686148-6449-6E6F-744E-656564454649";
  };
  partitionLine =
    p:
    lib.concatStringsSep ", " (
      lib.optional (p.partition.size != "100%") "size=${p.partition.size}iB"
      ++ [
        "type=${types.${p.partition.type} or p.partition.type}"
        ''name="${p.label}"''
      ]
    );

  # /dev/sda1, but /dev/nvme0n1p1.
  nodeOf =
    p:
    let
      separator = lib.optionalString (builtins.match ".*[0-9]" p.device != null) "p";
    in
    "${p.device}${separator}${toString p.number}";

  table = device: entries: ''
    sfdisk --quiet --wipe always --label gpt ${device} <<'END'
    ${lib.concatMapStringsSep "\n" partitionLine entries}
    END
  '';

  format =
    p:
    let
      inherit (p.partition) content;
    in
    lib.optionalString (content != null) (
      {
        ext4 = "mke2fs -q -F -t ext4 ${toString content.extraArgs} ${nodeOf p}\n";
        vfat = "mkfs.vfat ${toString content.extraArgs} ${nodeOf p}\n";
      }
      .${content.format}
    );

  mounted = lib.sort (a: b: a.partition.content.mountpoint < b.partition.content.mountpoint) (
    builtins.filter (p: p.partition.content.mountpoint or null != null) partitions
  );
  mount =
    p:
    let
      inherit (p.partition.content) format mountpoint mountOptions;
    in
    ''
      mkdir -p /mnt${mountpoint}
      mount -t ${format} -o ${lib.concatStringsSep "," mountOptions} ${nodeOf p} /mnt${mountpoint}
    '';
in
pkgs.writeShellScriptBin "disko" ''
  set -eux
  PATH=${path}
  ${lib.concatStrings (lib.mapAttrsToList table onDisk)}
  ${lib.concatMapStrings format partitions}
  ${lib.concatMapStrings mount mounted}
''
