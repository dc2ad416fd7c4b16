# nixos-anywhere of the lab: `--vm-test`, which needs no host. It builds the
# install test of the configuration, as the real one does.
set -euo pipefail

flake= vm_test= nix_options=()
while (($#)); do
  case $1 in
    --flake | -f) flake=$2 && shift ;;
    --vm-test) vm_test=y ;;
    -L | --print-build-logs) ;;
    --show-trace) nix_options+=("$1") ;;
  esac
  shift
done

if [[ ! $flake == *#* ]]; then
  echo "Please specify the name of the NixOS configuration to be installed, as a URI fragment in the flake-uri." >&2
  exit 1
fi
if [[ ! $vm_test ]]; then
  echo "The offline lab has no remote host: it rehearses an installation by --vm-test." >&2
  exit 1
fi
attribute=${flake#*#}
[[ $attribute == nixosConfigurations.* ]] || attribute=nixosConfigurations.$attribute.config
attribute=${flake%%#*}#$attribute.system.build.installTest
nix build --print-build-logs --no-link "${nix_options[@]}" "$attribute"
# All that a test says that has passed before.
nix eval --raw "${nix_options[@]}" "$attribute.outPath"
echo
