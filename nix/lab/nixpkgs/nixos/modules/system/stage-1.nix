# The initial RAM disk: loads drivers, mounts the root file system and starts
# stage 2.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (config.boot.kernelPackages) kernel;
  inherit (config.boot) initrd;
  fileSystems = builtins.attrValues config.fileSystems;
  modules = initrd.availableKernelModules ++ initrd.kernelModules ++ fileSystemModules;

  inherit (config.system.build.fileSystems) early;

  fileSystemModules = lib.optionals (lib.any (f: f.fsType == "vfat") fileSystems) [
    "vfat"
    "nls_cp437"
    "nls_ascii"
  ];

  init = pkgs.writeText "stage-1-init" ''
    #!/bin/busybox sh
    export PATH=/bin
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    echo
    echo "<<< NixOS Stage 1 >>>"
    echo

    # Loads the drivers of the existing hardware. Runs twice, because the driver
    # of a bus reveals more devices.
    for pass in 1 2; do
      find /sys/devices -name modalias -exec cat {} + | sort -u | xargs modprobe -a -b -q
    done
    for module in ${toString (initrd.kernelModules ++ fileSystemModules)}; do
      modprobe -q $module
    done

    fail() {
      echo "$1"
      echo "An error occurred in stage 1 of the boot process. Powering off."
      poweroff -f
    }

    # Prints the device that udev would link to this name.
    device_for() {
      case $1 in
        /dev/disk/by-label/*) findfs LABEL="''${1##*/}" ;;
        /dev/disk/by-uuid/*) findfs UUID="''${1##*/}" ;;
        /dev/disk/by-partlabel/*)
          uevent=$(grep -lx "PARTNAME=''${1##*/}" /sys/class/block/*/uevent | head -n 1)
          [ -n "$uevent" ] && basename "$(dirname "$uevent")" | sed 's|^|/dev/|'
          ;;
        *) [ ! -e "$1" ] || echo "$1" ;;
      esac 2> /dev/null
    }

    mount_in_root() { # mount point, device, type, options
      mkdir -p "/mnt-root$1"
      device=$2
      case $2 in
        /dev/*)
          for attempt in $(seq 100); do
            device=$(device_for "$2")
            [ -z "$device" ] || break
            usleep 50000
          done
          [ -n "$device" ] || fail "Timed out waiting for device $2, which holds $1."
          ;;
      esac
      mount -t "$3" -o "$4" "$device" "/mnt-root$1" || fail "Mounting $2 on $1 failed."
    }
    ${lib.concatMapStrings (f: ''
      mount_in_root ${
        lib.escapeShellArgs [
          f.mountPoint
          (if f.device == null then f.fsType else f.device)
          f.fsType
          (lib.concatStringsSep "," f.options)
        ]
      }
    '') early}

    for word in $(cat /proc/cmdline); do
      case $word in
        init=*) stage2=''${word#init=} ;;
      esac
    done
    # A link to a path that exists only in the new root counts as well.
    [ -e "/mnt-root$stage2" ] || [ -L "/mnt-root$stage2" ] ||
      fail "There is no $stage2 on the root file system."
    for dir in proc sys dev; do
      mkdir -p /mnt-root/$dir
      mount --move /$dir /mnt-root/$dir
    done
    exec switch_root /mnt-root "$stage2"
  '';
in
{
  config.system.build.initialRamdisk = pkgs.runCommand "initrd-${kernel.name}" { } ''
    mkdir -p root/bin root/proc root/sys root/dev root/mnt-root $out
    cp -a ${pkgs.busybox}/bin/. root/bin/
    cp ${init} root/init
    chmod +x root/init

    # Copies the modules and their dependencies according to modules.dep.
    version=${kernel.modDirVersion}
    from=${kernel}/lib/modules/$version
    to=root/lib/modules/$version
    mkdir -p $to
    cp $from/modules.order $from/modules.builtin* $to/
    copy_module() {
      for path in $(sed -n "s|:||; \|/$1\.ko |p; \|/$1\.ko$|p" $from/modules.dep); do
        mkdir -p $to/$(dirname $path)
        [ -e $to/$path ] || cp $from/$path $to/$path
      done
    }
    for module in ${toString (lib.unique modules)}; do
      if grep -q "/$module\.ko$" $from/modules.builtin; then
        continue
      elif grep -q "/$module\.ko:" $from/modules.dep; then
        copy_module $module
      else
        echo "modprobe: FATAL: Module $module not found in directory $from"
        exit 1
      fi
    done
    depmod -b root $version

    (cd root && find . | sort | cpio -o -H newc -R 0:0 2> /dev/null) | gzip -9n > $out/initrd
  '';
}
