# The package set, built from Debian packages.
{ lib, system }:
let
  # The packages that collect.sh unpacked, with their versions and dependencies.
  debian = import ../debian.nix;
  manifest = import debian;

  # The name of the collected package that matches a pattern. Some names differ
  # between releases.
  collected =
    pattern:
    lib.findFirst (name: builtins.match pattern name != null)
      (throw "collect.sh did not unpack any Debian package that matches \"${pattern}\"")
      (builtins.attrNames manifest);

  # "1:3.0.22-1~deb12u2" is version 3.0.22.
  versionOf =
    name:
    builtins.elemAt
      (builtins.match "([0-9]+:)?([0-9]+([.][0-9]+[a-z]?)*).*" manifest.${name}.version)
      1;

  # Names of libraries that are called differently in nixpkgs.
  nixNames = {
    libc6 = "glibc";
    libcrypt1 = "libxcrypt";
    libpcre2-8-0 = "pcre2";
    zlib1g = "zlib";
    ${collected "libssl[0-9].*"} = "openssl";
  };

  librariesOf = name: map (library: libraries.${library}) manifest.${name}.depends;

  # Debian's name of openssl changes between releases.
  byName.openssl = libraries.${collected "libssl[0-9].*"};

  libraries = builtins.mapAttrs (
    name: _:
    debianPackage {
      pname = nixNames.${name} or name;
      version = versionOf name;
      packages = [ name ];
      libraries = librariesOf name;
      # Conversions between character sets, which no machine needs.
      postInstall = "rm -rf $out/lib/gconv";
    }
  ) manifest;

  # A program from the Debian package `name`, with the files of the `extra` ones.
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

  # bash runs the build scripts, except those that build bash and its libraries.
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
    # Debian's Perl looks for its modules in /usr/lib.
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
      # GRUB's modules are ELF files that must not be patched.
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
      # QEMU looks for its modules and firmware in /usr/lib and /usr/share, or,
      # if it exists, in bin/qemu-bundle/usr instead.
      postInstall = ''
        rm -rf $out/bin/qemu-system-i386 $out/bin/*-microvm $out/etc
        modules=$out/lib/x86_64-linux-gnu/qemu
        mkdir -p $modules
        # A module in Debian 12; compiled into QEMU in later releases.
        tcg=$out/lib/qemu/accel-tcg-x86_64.so
        [ ! -e $tcg ] || mv $tcg $modules/
        rm -rf $out/lib/qemu
        mkdir -p $out/bin/qemu-bundle/usr
        ln -s $out/lib $out/share $out/bin/qemu-bundle/usr/
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

  # Until Debian 13 a package with files, later a metapackage.
  ovmf = collected "ovmf|ovmf-generic";

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
        . ${./copy-first.sh}
        mkdir $out
        copy_first $out/systemd-bootx64.efi \
          ${debian}/systemd-boot-efi/usr/lib/systemd/boot/efi/systemd-bootx64.efi \
          ${debian}/systemd-boot-efi/usr/lib/systemd/boot/efi/systemd-bootx64.efi.signed
      '';

      # UEFI firmware, in the layout of nixpkgs.
      OVMF = pkgs.runCommand "OVMF-${versionOf ovmf}" { passthru.fd = pkgs.OVMF; } ''
        . ${./copy-first.sh}
        mkdir -p $out/FV
        files=${debian}/${ovmf}/usr/share/OVMF
        copy_first $out/FV/OVMF_CODE.fd $files/OVMF_CODE_4M.fd $files/OVMF_CODE.fd
        copy_first $out/FV/OVMF_VARS.fd $files/OVMF_VARS_4M.fd $files/OVMF_VARS.fd
      '';

      # Path of the character set conversions that are not built into glibc.
      gconvPath = "${debian}/libc6/usr/lib/x86_64-linux-gnu/gconv";

      # All packages that prepare.sh builds.
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
    # Packages of NixOS whose programs busybox contains.
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
