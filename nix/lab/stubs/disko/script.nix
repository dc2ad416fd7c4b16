# The script that partitions and formats disks as declared in disko.devices, and
# mounts their file systems below /mnt. Erases the disks.
{
  lib,
  pkgs,
  partitions, # list of { device, label, number, partition }, in order
}:
let
  path = lib.makeBinPath [
    pkgs.dosfstools
    pkgs.e2fsprogs
    pkgs.sfdisk
    pkgs.busybox # last, because its mke2fs supports ext2 only
  ];
  onDisk = lib.groupBy (p: p.device) partitions;

  # sfdisk's names of GPT partition types.
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

  # The device of a partition: /dev/sda1, but /dev/nvme0n1p1.
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
