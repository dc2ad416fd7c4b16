# The packages, made from Debian's.
{ lib, system }:
let
  # What prepare.sh has collected, and what it knows about each package.
  debian = import ../debian.nix;
  manifest = import debian;

  # The name of the collected package that matches a pattern: releases call
  # some of them differently.
  collected =
    pattern:
    lib.findFirst (name: builtins.match pattern name != null)
      (throw "the lab has collected no Debian package ${pattern}")
      (builtins.attrNames manifest);

  # "1:3.0.22-1~deb12u2" is version 3.0.22.
  versionOf =
    name:
    builtins.elemAt
      (builtins.match "([0-9]+:)?([0-9]+([.][0-9]+[a-z]?)*).*" manifest.${name}.version)
      1;

  # Some libraries have better known names.
  nixNames = {
    libc6 = "glibc";
    libcrypt1 = "libxcrypt";
    libpcre2-8-0 = "pcre2";
    zlib1g = "zlib";
    ${collected "libssl[0-9].*"} = "openssl";
  };

  librariesOf = name: map (library: libraries.${library}) manifest.${name}.depends;

  # Most are looked up by Debian's name; openssl's changes with releases.
  byName.openssl = libraries.${collected "libssl[0-9].*"};

  libraries = builtins.mapAttrs (
    name: _:
    debianPackage {
      pname = nixNames.${name} or name;
      version = versionOf name;
      packages = [ name ];
      libraries = librariesOf name;
      # The character sets of the world: no machine here needs them.
      postInstall = "rm -rf $out/lib/gconv";
    }
  ) manifest;

  # A program of the Debian package `name`, with files of `extra` ones.
  program =
    pname: name: {
      extra ? [ ],
      postInstall ? "",
      mainProgram ? pname,
    }:
    debianPackage {
      inherit pname postInstall;
      version = versionOf name;
      packages = [ name ] ++ extra;
      libraries = lib.unique (lib.concatMap librariesOf ([ name ] ++ extra));
      meta = { inherit mainProgram; };
    };

  debianPackage = import ./debian-package.nix {
    inherit lib debian;
    inherit (buildSupport busyboxShell) mkDerivation;
  };

  busybox = import ./busybox.nix {
    inherit system;
    static = "${debian}/busybox-static/usr/bin/busybox";
    version = versionOf "busybox-static";
  };

  # Bash runs the build scripts, except for those that it is made by.
  busyboxShell = [
    "${busybox}/bin/busybox"
    "sh"
  ];
  bashShell = [ pkgs.runtimeShell ];

  buildSupport =
    shell:
    import ./build-support.nix {
      inherit lib system shell;
      initialPath = busybox;
      inherit (pkgs) runtimeShell;
    };

  programs = {
    bash = program "bash" "bash" {
      postInstall = ''
        ln -s bash $out/bin/sh
        rm -rf $out/etc $out/share
      '';
    };
    curl = program "curl" "curl" { };
    nftables = program "nftables" "nftables" { mainProgram = "nft"; };
    nginx = program "nginx" "nginx" {
      extra = [ "nginx-common" ];
      postInstall = ''
        mv $out/etc/nginx $out/conf
        rm -rf $out/etc $out/lib $out/share $out/conf/sites-* $out/conf/nginx.conf
      '';
    };
    # Debian's looks for its modules where Debian puts them.
    perl = program "perl" "perl-base" {
      postInstall = ''
        mv $out/bin/perl $out/bin/.perl-wrapped
        rm -f $out/bin/perl5*
        cat > $out/bin/perl <<END
        #!${pkgs.runtimeShell}
        export PERL5LIB=$out/lib/perl-base\''${PERL5LIB:+:\$PERL5LIB}
        exec $out/bin/.perl-wrapped "\$@"
        END
        chmod +x $out/bin/perl
      '';
    };

    e2fsprogs = program "e2fsprogs" "e2fsprogs" { mainProgram = "mke2fs"; };
    dosfstools = program "dosfstools" "dosfstools" { mainProgram = "mkfs.fat"; };
    mtools = program "mtools" "mtools" { };
    sfdisk = program "sfdisk" "fdisk" { };

    grub2 = program "grub2" "grub2-common" {
      extra = [
        "grub-common"
        "grub-efi-amd64-bin"
        "grub-pc-bin"
      ];
      mainProgram = "grub-install";
      # GRUB's modules are no programs of this system: out of patchelf's way.
      postInstall = ''
        mkdir -p $out/modules
        mv $out/lib/grub/i386-pc $out/lib/grub/x86_64-efi $out/modules/
        mv $out/bin/grub-install $out/bin/grub-mkimage .
        rm -rf $out/bin $out/etc $out/lib $out/share
        mkdir $out/bin
        mv grub-install grub-mkimage $out/bin/
      '';
    };

    qemu = program "qemu" "qemu-system-x86" {
      extra = [
        "qemu-system-common"
        "qemu-system-data"
        "qemu-utils"
        "seabios"
      ];
      mainProgram = "qemu-system-x86_64";
      # QEMU finds its modules and firmware relative to its program, in the
      # directories that Debian has built it for.
      postInstall = ''
        rm -rf $out/bin/qemu-system-i386 $out/bin/*-microvm $out/etc
        modules=$out/lib/x86_64-linux-gnu/qemu
        mkdir -p $modules
        mv $out/lib/qemu/accel-tcg-x86_64.so $modules/
        rm -rf $out/lib/qemu
      '';
    };

    python3 =
      program "python3" (collected "python3\\.[0-9]+-minimal") {
        extra = [
          (collected "libpython3\\.[0-9]+-minimal")
          (collected "libpython3\\.[0-9]+-stdlib")
        ];
        postInstall = ''
          cd $out/bin && ln -s python3.* python3
          rm -rf $out/etc $out/share
        '';
      };
  };

  linux = import ./linux.nix {
    inherit lib debian;
    inherit (pkgs) runCommand;
    image = collected "linux-image-[0-9].*";
    packages = builtins.filter (lib.hasPrefix "linux-") (builtins.attrNames manifest);
    version = versionOf (collected "linux-image-[0-9].*");
  };

  pkgs =
    import ./absent.nix { inherit lib; inherit (buildSupport bashShell) writeShellScriptBin; }
    // buildSupport bashShell
    // programs
    // {
      inherit lib system busybox linux;
      path = ../.;
      inherit (libraries) glibc pcre2 zlib;
      inherit (byName) openssl;
      libxcrypt = libraries.libcrypt1;

      curlMinimal = pkgs.curl;
      bashInteractive = pkgs.bash;
      dockerTools = pkgs.callPackage ./docker-tools.nix { };
      qemu_kvm = pkgs.qemu;
      nixos-anywhere = pkgs.writeShellScriptBin "nixos-anywhere" (
        builtins.readFile ./nixos-anywhere.sh
      );
      nixos-rebuild-ng = pkgs.writeShellScriptBin "nixos-rebuild" (
        builtins.readFile ./nixos-rebuild.sh
      );
      systemd = pkgs.callPackage ./systemd { };
      systemd-boot = pkgs.runCommand "systemd-boot-${versionOf "systemd-boot-efi"}" { } ''
        mkdir $out
        cp ${debian}/systemd-boot-efi/usr/lib/systemd/boot/efi/systemd-bootx64.efi $out/
      '';

      # Firmware for UEFI, in the layout of nixpkgs.
      OVMF = pkgs.runCommand "OVMF-${versionOf "ovmf"}" { passthru.fd = pkgs.OVMF; } ''
        mkdir -p $out/FV
        cp ${debian}/ovmf/usr/share/OVMF/OVMF_CODE_4M.fd $out/FV/OVMF_CODE.fd
        cp ${debian}/ovmf/usr/share/OVMF/OVMF_VARS_4M.fd $out/FV/OVMF_VARS.fd
      '';

      # Where programs find the character sets that glibc does not build in.
      gconvPath = "${debian}/libc6/usr/lib/x86_64-linux-gnu/gconv";

      # All that prepare.sh builds ahead, by name.
      lab-packages = pkgs.linkFarm "lab-packages" (
        programs
        // {
          inherit (pkgs)
            OVMF
            busybox
            linux
            nixos-anywhere
            nixos-rebuild-ng
            systemd
            systemd-boot
            ;
        }
      );

      testers = {
        runNixOSTest = import ../nixos/lib/testing { inherit lib pkgs; };
      };

      stdenv = {
        inherit (pkgs) mkDerivation;
        hostPlatform = import ./platform.nix { inherit lib system; };
      };
      stdenvNoCC = pkgs.stdenv;
      runtimeShell = lib.getExe pkgs.bash;

      callPackage = lib.callPackageWith pkgs;
    }
    # Programs that NixOS has packages of and that busybox contains.
    // lib.genAttrs [
      "coreutils"
      "findutils"
      "gawk"
      "gnugrep"
      "gnused"
      "gnutar"
      "gzip"
      "iproute2"
      "less"
      "procps"
      "util-linux"
      "which"
    ] (_: busybox);
in
pkgs
