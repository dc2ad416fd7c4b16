#!/usr/bin/env bash
# collect.sh DEBS OUT
#
# Downloads the Debian packages of debian-packages.txt with the libraries they
# depend on into DEBS, except those that are there already, and unpacks them:
#
#   OUT/<package>/usr/...   its files, with /bin, /sbin and /lib under /usr
#   OUT/default.nix         { <package> = { version = ...; depends = [ ... ]; }; }
#
# Needs no root. Exits with 6 when apt cannot download.
set -euo pipefail

debs=$1
out=$2
here=$(dirname "$(readlink -f "$0")")

# Names of the wanted packages, one per line.
wanted() {
  local list known line name
  list=$(grep -v -e '^#' -e '^$' "$here/debian-packages.txt")
  # One call for all names: apt takes most of a second to start.
  known=$(apt-cache policy ${list//|/ } |
    awk '/^[a-z]/ { name = $1 } /Candidate: [0-9]/ { print name }')
  while read -r line; do
    for name in ${line//|/ }; do
      if grep -qx "$name:" <<<"$known"; then
        echo "$name"
        continue 2
      fi
    done
    echo "apt knows no package $line: run \`apt-get update\` as root and start again." >&2
    return 6
  done <<<"$list"
}

# "package dependency" pairs: dependencies on libraries and on the versioned
# packages behind the metapackages of Python and the kernel. libc6 depends on
# nothing here, which also cuts its circles.
edges() {
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
    --no-breaks --no-replaces --no-enhances "$@" |
    awk '
      /^[a-z]/ { package = $1 }
      /Depends:/ && package != "libc6" &&
        $2 ~ /^(lib[a-z0-9]|zlib1g|python3\.[0-9]+-minimal|linux-(image|modules)-[0-9])/ &&
        $2 !~ /-(common|data|db|perl)$/ { print package, $2 }
    ' | sort -u
}

# All packages that can be reached from those given over the edges on stdin.
reachable() {
  awk -v roots="$*" '
    { targets[$1] = targets[$1] " " $2 }
    END {
      count = split(roots, queue, " ")
      for (i = 1; i <= count; i++) {
        if (queue[i] in seen) continue
        seen[queue[i]] = 1
        print queue[i]
        n = split(targets[queue[i]], next_ones, " ")
        for (j = 1; j <= n; j++) queue[++count] = next_ones[j]
      }
    }'
}

deb_of() { # package -> its file in DEBS, or nothing
  local files=("$debs/$1"_*.deb)
  [[ -e ${files[0]} ]] && echo "${files[0]}"
}

download() { # package...
  local partial
  partial=$(mktemp -d "$debs/partial.XXXXXX")
  if ! (cd "$partial" && apt-get -qq -o APT::Sandbox::User=root download "$@") >&2; then
    rm -rf "$partial"
    return 1
  fi
  mv "$partial"/*.deb "$debs/"
  rmdir "$partial"
}

# Keeps what a virtual machine needs of the 90 MB of a kernel's modules.
prune_modules() { # directory
  [[ -d $1 ]] || return 0
  local drivers='drivers/(ata|block|char|net|scsi|virtio)'
  local files='fs/(fat|nls|overlayfs)'
  local network='net/(core|netfilter|(ipv4|ipv6)(/netfilter)?)'
  local keep=".*/kernel/(crypto|lib|$drivers|$files|$network)/[^/]*"
  find "$1" -name '*.ko*' -regextype posix-extended ! -regex "$keep" -delete
  find "$1" -type d -empty -delete
  # Newer releases compress modules, which busybox cannot load.
  find "$1" -name '*.ko.xz' -exec xz --decompress {} +
  find "$1" -name '*.ko.zst' -exec zstd --quiet --rm --decompress {} +
}

unpack() { # package deb
  local dir=$out/$1
  mkdir "$dir"
  dpkg-deb --extract "$2" "$dir"
  # Older releases still have these directories beside /usr.
  local part
  for part in bin sbin lib; do
    [[ -d $dir/$part && ! -L $dir/$part ]] || continue
    mkdir -p "$dir/usr/$part"
    cp -a "$dir/$part/." "$dir/usr/$part/"
    rm -rf "${dir:?}/$part"
  done
  rm -rf "$dir/lib64" "$dir/usr/lib64"
  rm -rf "$dir"/usr/share/{bash-completion,doc,info,lintian,locale,man,perl}
  [[ $1 != linux-* ]] || prune_modules "$dir/usr/lib/modules"
  chmod -R u+w "$dir"
}

mkdir -p "$debs" "$out"
rm -rf "$debs"/partial.*

names=$(wanted)
mapfile -t roots <<<"$names"
all_edges=$(edges "${roots[@]}")
mapfile -t packages < <(reachable "${roots[@]}" <<<"$all_edges" | sort)

missing=()
for package in "${packages[@]}"; do
  [[ -n $(deb_of "$package") ]] || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "downloading ${#missing[@]} of ${#packages[@]} Debian packages"
  download "${missing[@]}" || exit 6
fi

{
  echo "{"
  for package in "${packages[@]}"; do
    deb=$(deb_of "$package")
    unpack "$package" "$deb"
    depends=$(awk -v package="$package" '$1 == package { printf "\"%s\" ", $2 }' <<<"$all_edges")
    printf '  "%s" = { version = "%s"; depends = [ %s]; };\n' \
      "$package" "$(dpkg-deb --field "$deb" Version)" "$depends"
  done
  echo "}"
} >"$out/default.nix"
