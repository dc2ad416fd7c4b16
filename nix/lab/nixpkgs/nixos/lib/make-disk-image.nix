# Builds a bootable disk image: a boot partition for the boot loader that the
# configuration enables, and a partition with the root file system. Does not boot
# a machine for this.
{
  config,
  lib,
  pkgs,
  format, # raw, qcow2, vmdk or vpc: a format name of qemu-img
  efi, # whether to create an EFI system partition
}:
let
  inherit (config.system.build) toplevel;
  loader = config.boot.loader;

  # Fixed identifiers, for reproducible images.
  diskUuid = "11111111-1111-1111-8888-888888888888";
  espUuid = "22222222-2222-2222-8888-888888888888";
  espVolumeId = "12341234";
  partitionUuid = "33333333-3333-3333-8888-888888888888";
  rootUuid = "44444444-4444-4444-8888-888888888888";
  biosUuid = "55555555-5555-5555-8888-888888888888";

  entry = pkgs.writeText "nixos-generation-1.conf" ''
    title NixOS
    version Generation 1 NixOS ${config.system.nixos.label}
    linux /EFI/nixos/bzImage.efi
    initrd /EFI/nixos/initrd.efi
    options init=${toplevel}/init ${toString config.boot.kernelParams}
    machine-id 00000000000000000000000000000000
  '';
  loaderConf = pkgs.writeText "loader.conf" ''
    timeout ${if loader.timeout == null then "menu-force" else toString loader.timeout}
    default nixos-generation-1.conf
    console-mode keep
  '';

  installSystemdBoot = ''
    mmd -i esp.img ::/EFI ::/EFI/BOOT ::/EFI/systemd ::/EFI/nixos ::/loader ::/loader/entries
    mcopy -i esp.img ${pkgs.systemd-boot}/systemd-bootx64.efi ::/EFI/systemd/systemd-bootx64.efi
    mcopy -i esp.img ${pkgs.systemd-boot}/systemd-bootx64.efi ::/EFI/BOOT/BOOTX64.EFI
    mcopy -i esp.img ${toplevel}/kernel ::/EFI/nixos/bzImage.efi
    mcopy -i esp.img ${toplevel}/initrd ::/EFI/nixos/initrd.efi
    mcopy -i esp.img ${loaderConf} ::/loader/loader.conf
    mcopy -i esp.img ${entry} ::/loader/entries/nixos-generation-1.conf
  '';
  # GRUB with all modules it needs to read its configuration from the file system
  # labeled "nixos".
  grubModules = "part_gpt ext2 fat search search_label normal linux configfile serial terminal echo boot";
  grubImage = target: more: ''
    printf '%s\n' "search.fs_label nixos root" 'set prefix=($root)/boot/grub' normal > early.cfg
    grub-mkimage -O ${target} -d ${pkgs.grub2}/modules/${target} -c early.cfg -p /boot/grub \
      -o grub.img ${grubModules} ${more}
  '';
  installGrub =
    if efi then
      ''
        ${grubImage "x86_64-efi" ""}
        mmd -i esp.img ::/EFI ::/EFI/BOOT
        mcopy -i esp.img grub.img ::/EFI/BOOT/BOOTX64.EFI
      ''
    else
      grubImage "i386-pc" "biosdisk";

  installLoader =
    if loader.grub.enable then
      installGrub
    else if !loader.systemd-boot.enable then
      "${config.system.build.installBootLoader}"
    else if !efi then
      ''
        echo "Couldn't find EFI system partition: systemd-boot needs UEFI support." >&2
        exit 1
      ''
    else
      installSystemdBoot;
  biosGrub = loader.grub.enable && !efi;
in
pkgs.runCommand config.image.baseName
  {
    closure = pkgs.closureInfo { rootPaths = [ toplevel ]; };
    nativeBuildInputs = [
      pkgs.dosfstools
      pkgs.e2fsprogs
      pkgs.grub2
      pkgs.mtools
      pkgs.perl
      pkgs.python3
      pkgs.qemu
      pkgs.sfdisk
    ];
    SOURCE_DATE_EPOCH = 1;
    MTOOLS_SKIP_CHECK = 1;
    GCONV_PATH = pkgs.gconvPath; # mtools needs it for file names in code page 850
    passthru = { inherit config; };
  }
  ''
    mkdir -p root/nix/store root/boot root/etc root/nix/var/nix/profiles $out/nix-support
    xargs cp -a -t root/nix/store < $closure/store-paths
    ln -s ${toplevel} root/nix/var/nix/profiles/system
    touch root/etc/NIXOS
    ${lib.optionalString loader.grub.enable ''
      perl ${../modules/system/install-grub.pl} ${pkgs.grub2} root/boot ${toplevel} "${toString loader.timeout}"
    ''}

    # Sizes and positions in MiB.
    esp_start=1
    esp_size=${if efi then "64" else "0"}
    bios_start=$((esp_start + esp_size))
    bios_size=${if biosGrub then "1" else "0"}
    root_start=$((bios_start + bios_size))
    root_size=$(($(du -sm root | cut -f1) * 115 / 100 + 32))

    truncate -s ''${root_size}M root.img
    mke2fs -q -t ext4 -L nixos -U ${rootUuid} \
      -E hash_seed=${rootUuid},root_owner=0:0 -d root root.img
    ${lib.optionalString efi ''
      truncate -s ''${esp_size}M esp.img
      mkfs.vfat -F 32 -n ESP -i ${espVolumeId} esp.img > /dev/null
    ''}
    ${installLoader}

    # One MiB after the last partition for the backup partition table.
    truncate -s $((root_start + root_size + 1))M disk.raw
    partition() { # start, size, type, name, uuid
      echo "start=$1MiB, size=$2MiB, type=$3, name=$4, uuid=$5"
    }
    {
      echo "label: gpt"
      echo "label-id: ${diskUuid}"
      ${lib.optionalString efi "partition $esp_start $esp_size uefi ESP ${espUuid}"}
      ${lib.optionalString biosGrub "partition $bios_start $bios_size 21686148-6449-6E6F-744E-656564454649 bios ${biosUuid}"}
      partition $root_start $root_size linux root ${partitionUuid}
    } | sfdisk -q disk.raw
    write_partition() { # file, start
      dd if=$1 of=disk.raw bs=1M seek=$2 conv=notrunc status=none
    }
    ${lib.optionalString efi "write_partition esp.img $esp_start"}
    write_partition root.img $root_start
    ${lib.optionalString biosGrub ''
      python3 ${./embed-grub.py} disk.raw ${pkgs.grub2}/modules/i386-pc/boot.img grub.img $((bios_start * 2048))
    ''}

    image=$out/${config.image.filePath}
    qemu-img convert -f raw -O ${format} disk.raw $image
    echo "file ${format} $image" > $out/nix-support/hydra-build-products
    cat > $out/nix-support/image-info.json <<EOF
    {
      "boot_mode": "${if efi then "uefi" else "legacy-bios"}",
      "file": "$image",
      "label": "${config.system.nixos.label}",
      "logical_bytes": $(stat -c %s disk.raw),
      "system": "${pkgs.stdenv.hostPlatform.system}"
    }
    EOF
  ''
