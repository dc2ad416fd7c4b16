# The lab's nixos-rebuild: build, build-vm and build-image for flakes, with the
# messages of nixos-rebuild-ng. Actions that change a running NixOS are missing.
set -euo pipefail

action= flake=. variant= nix_options=()
while (($#)); do
  case $1 in
    --flake) flake=$2 && shift ;;
    --flake=*) flake=${1#*=} ;;
    --image-variant) variant=$2 && shift ;;
    --image-variant=*) variant=${1#*=} ;;
    -L | --print-build-logs | --show-trace | --impure | --offline) nix_options+=("$1") ;;
    -*)
      echo "nixos-rebuild: error: the offline lab does not support the option $1" >&2
      exit 2
      ;;
    *) action=$1 ;;
  esac
  shift
done

name=${flake#*#}
[[ $flake == *#* ]] || name=$(hostname)
configuration=${flake%%#*}#nixosConfigurations.$name

build() { # attribute of the configuration
  nix build "${nix_options[@]}" "$configuration.$1"
}

case $action in
  build)
    echo "building the system configuration..." >&2
    build config.system.build.toplevel
    echo "Done. The new configuration is $(readlink -f result)"
    ;;
  build-vm)
    echo "building the system configuration..." >&2
    build config.system.build.vm
    echo "Done. The virtual machine can be started by running $(echo "$PWD"/result/bin/run-*-vm)"
    ;;
  build-image)
    echo "building the system configuration..." >&2
    variants=$(nix eval --raw "$configuration.config.system.build.images" \
      --apply 'images: builtins.concatStringsSep "\n" (builtins.attrNames images)')
    if ! grep -qxF -- "$variant" <<<"$variants"; then
      {
        printf 'error: please specify one of the following '
        echo 'supported image variants via --image-variant:'
        while read -r known; do echo "- $known"; done <<<"$variants"
      } >&2
      exit 1
    fi
    build "config.system.build.images.$variant"
    file=$(nix eval --raw "$configuration.config.system.build.images.$variant.passthru.filePath")
    echo "Done. The disk image can be found in '$(readlink -f result)/$file'"
    ;;
  *)
    echo "nixos-rebuild: error: the offline lab supports build, build-vm and build-image, not '${action}'" >&2
    exit 2
    ;;
esac
