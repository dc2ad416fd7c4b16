# The configuration as a VM in QEMU. Kernel and initial RAM disk are given to
# QEMU directly, the Nix store comes as a read-only disk.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.virtualisation;
  hostPkgs = cfg.host.pkgs;
  inherit (config.system.build) toplevel;
  name = config.system.name;

  storeImage = import ../../lib/store-image.nix { pkgs = hostPkgs; } {
    rootPaths = [ toplevel ] ++ cfg.additionalPaths;
  };

  port =
    description:
    mkOption {
      type = types.port;
      inherit description;
    };
  address = mkOption {
    type = types.str;
    default = "";
    description = "The address; all when empty.";
  };
  forward.options = {
    from = mkOption {
      type = types.enum [
        "host"
        "guest"
      ];
      default = "host";
      description = "Which side connects.";
    };
    proto = mkOption {
      type = types.enum [
        "tcp"
        "udp"
      ];
      default = "tcp";
      description = "The protocol.";
    };
    host = {
      inherit address;
      port = port "The port of the host.";
    };
    guest = {
      inherit address;
      port = port "The port of the guest.";
    };
  };

  forwards = lib.concatMapStrings (
    f:
    let
      endpoint = side: "${side.address}:${toString side.port}";
    in
    if f.from == "host" then
      ",hostfwd=${f.proto}:${endpoint f.host}-${endpoint f.guest}"
    else
      ",guestfwd=${f.proto}:${endpoint f.guest}-tcp:${endpoint f.host}"
  ) cfg.forwardPorts;

  # KVM may be there and hang, so the lab does not use it unless it is told to.
  run = hostPkgs.writeShellScript "run-${name}-vm" ''
    PATH=${
      lib.makeBinPath [
        hostPkgs.e2fsprogs
        hostPkgs.qemu
        hostPkgs.busybox
      ]
    }
    set -e
    parameters="$(cat ${toplevel}/kernel-params) init=${toplevel}/init"
    # A serial console does not know how large the terminal is: see getty.nix.
    if size=$(stty size 2> /dev/null); then
      parameters="$parameters lab.size=''${size/ /x}"
    fi
    ${lib.optionalString (cfg.diskImage != null) ''
      disk=''${NIX_DISK_IMAGE:-${cfg.diskImage}}
      if [ ! -e "$disk" ]; then
        echo "Virtualisation disk image doesn't exist, creating it as $disk."
        mke2fs -q -t ext4 -L nixos "$disk.raw" ${toString cfg.diskSize}M
        qemu-img convert -f raw -O qcow2 "$disk.raw" "$disk"
        rm "$disk.raw"
      fi
    ''}
    ${lib.concatStrings (
      lib.imap0 (i: size: ''
        [ -e empty${toString i}.qcow2 ] || qemu-img create -q -f qcow2 empty${toString i}.qcow2 ${toString size}M
      '') cfg.emptyDiskImages
    )}
    exec qemu-system-x86_64 \
      -name ${name} \
      -machine q35 \
      -accel "''${LAB_ACCEL:-tcg}" -cpu max \
      -m ${toString cfg.memorySize} \
      -smp ${toString cfg.cores} \
      -nodefaults \
      -netdev user,id=user.0${forwards}''${QEMU_NET_OPTS:+,$QEMU_NET_OPTS} \
      -device virtio-net-pci,netdev=user.0,romfile= \
      -drive file=${storeImage}/store.img,if=virtio,format=raw,readonly=on \
      ${lib.optionalString (cfg.diskImage != null) ''-drive file="$disk",if=virtio,format=qcow2''} \
      ${lib.concatStrings (
        lib.imap0 (
          i: _: "-drive file=empty${toString i}.qcow2,if=virtio,format=qcow2 "
        ) cfg.emptyDiskImages
      )} \
      -kernel ${toplevel}/kernel \
      -initrd ${toplevel}/initrd \
      -append "$parameters $QEMU_KERNEL_PARAMS" \
      ${toString cfg.qemu.options} \
      $QEMU_OPTS \
      "$@"
  '';
in
{
  imports = [ ../profiles/qemu-guest.nix ];

  options.virtualisation = {
    memorySize = mkOption {
      type = types.ints.positive;
      default = 1024;
      description = "The memory in MiB.";
    };
    cores = mkOption {
      type = types.ints.positive;
      default = 1;
      description = "The number of processors.";
    };
    graphics = mkOption {
      type = types.bool;
      default = true;
      description = "Whether there is a screen. The lab's QEMU has no window for it.";
    };
    diskImage = mkOption {
      type = types.nullOr types.str;
      default = "./${name}.qcow2";
      description = "The image of the root file system; in memory when null.";
    };
    diskSize = mkOption {
      type = types.either types.ints.positive (types.enum [ "auto" ]);
      default = 1024;
      description = "The size of that image in MiB.";
    };
    emptyDiskImages = mkOption {
      type = types.listOf types.ints.positive;
      default = [ ];
      description = "The sizes of further disks in MiB.";
    };
    additionalPaths = mkOption {
      type = types.listOf types.path;
      default = [ ];
      description = "Store paths that the machine has besides its own.";
    };
    forwardPorts = mkOption {
      type = types.listOf (types.submodule forward);
      default = [ ];
      description = "Ports that are passed between host and guest.";
    };
    host.pkgs = mkOption {
      type = types.raw;
      default = pkgs;
      description = "The packages of the host.";
    };
    qemu.options = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Further options of QEMU.";
    };
  };

  config = {
    boot.kernelParams = [ "console=ttyS0" ];
    # Without a screen the console is the terminal, shared with the monitor:
    # Ctrl-a x quits, Ctrl-a c changes between them.
    virtualisation.qemu.options =
      if cfg.graphics then
        [ "-vga std" ]
      else
        [
          "-display none"
          "-serial mon:stdio"
        ];

    # Whatever the configuration mounts elsewhere.
    fileSystems = lib.mkOverride 10 {
      "/" =
        if cfg.diskImage == null then
          {
            device = "tmpfs";
            fsType = "tmpfs";
            options = [ "mode=755" ];
          }
        else
          {
            device = "/dev/disk/by-label/nixos";
            fsType = "ext4";
          };
      "/nix/store" = {
        device = "/dev/disk/by-label/nix-store";
        fsType = "ext4";
        options = [ "ro" ];
      };
    };
    # QEMU is the loader.
    boot.loader.grub.enable = lib.mkOverride 10 false;

    system.build.vm =
      hostPkgs.runCommand "nixos-vm"
        {
          meta.mainProgram = "run-${name}-vm";
        }
        ''
          mkdir -p $out/bin
          ln -s ${toplevel} $out/system
          ln -s ${run} $out/bin/run-${name}-vm
        '';
  };
}
