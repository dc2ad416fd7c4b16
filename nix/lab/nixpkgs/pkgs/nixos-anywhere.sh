# The lab's nixos-anywhere. Supports only `--vm-test`, which does not need a host:
# like the real one, it builds the install test of the configuration.
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
  echo "The offline lab has no remote host. Use --vm-test to rehearse the installation." >&2
  exit 1
fi
attribute=${flake#*#}
[[ $attribute == nixosConfigurations.* ]] || attribute=nixosConfigurations.$attribute.config
attribute=${flake%%#*}#$attribute.system.build.installTest
nix build --print-build-logs --no-link "${nix_options[@]}" "$attribute"
# The only output if Nix has a cached result.
nix eval --raw "${nix_options[@]}" "$attribute.outPath"
echo
