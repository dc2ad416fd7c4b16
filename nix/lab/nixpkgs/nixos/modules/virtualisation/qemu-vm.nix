# Runs the configuration as a VM in QEMU. QEMU loads the kernel and the initial
# RAM disk directly. The Nix store is a read-only disk.
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
    description = "The IP address. If empty, all addresses.";
  };
  forward.options = {
    from = mkOption {
      type = types.enum [
        "host"
        "guest"
      ];
      default = "host";
      description = "The side that initiates the connection.";
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
      port = port "The port on the host.";
    };
    guest = {
      inherit address;
      port = port "The port in the guest.";
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

  # KVM can be available but hang, so the lab uses it only if LAB_ACCEL is set.
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
    # A serial console does not know the size of the terminal: see getty.nix.
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
      description = "The size of the memory in MiB.";
    };
    cores = mkOption {
      type = types.ints.positive;
      default = 1;
      description = "The number of processors.";
    };
    graphics = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the VM has a screen. The lab's QEMU cannot show it.";
    };
    diskImage = mkOption {
      type = types.nullOr types.str;
      default = "./${name}.qcow2";
      description = "The image file of the root file system. If null, it is in memory.";
    };
    diskSize = mkOption {
      type = types.either types.ints.positive (types.enum [ "auto" ]);
      default = 1024;
      description = "The size of diskImage in MiB.";
    };
    emptyDiskImages = mkOption {
      type = types.listOf types.ints.positive;
      default = [ ];
      description = "The sizes of additional empty disks in MiB.";
    };
    additionalPaths = mkOption {
      type = types.listOf types.path;
      default = [ ];
      description = "Additional store paths in the VM.";
    };
    forwardPorts = mkOption {
      type = types.listOf (types.submodule forward);
      default = [ ];
      description = "Ports to forward between host and guest.";
    };
    host.pkgs = mkOption {
      type = types.raw;
      default = pkgs;
      description = "The packages for the host.";
    };
    qemu.options = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Additional options of QEMU.";
    };
  };

  config = {
    boot.kernelParams = [ "console=ttyS0" ];
    # Without a screen, the console uses the terminal and shares it with QEMU's
    # monitor: Ctrl-a x quits, Ctrl-a c switches between them.
    virtualisation.qemu.options =
      if cfg.graphics then
        [ "-vga std" ]
      else
        [
          "-display none"
          "-serial mon:stdio"
        ];

    # Replaces all file systems of the configuration.
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
    # QEMU loads the kernel.
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
