#!/usr/bin/env bash
# collect.sh DEBS OUT
#
# Downloads the packages in debian-packages.txt and the libraries they depend on
# to DEBS, unless they are already there, and unpacks them:
#
#   OUT/<package>/usr/...   files of a package, with /bin, /sbin and /lib under /usr
#   OUT/default.nix         { <package> = { version = ...; depends = [ ... ]; }; }
#
# Does not need root. Exits with status 6 if apt cannot download packages.
set -euo pipefail

debs=$1
out=$2
here=$(dirname "$(readlink -f "$0")")

# The packages in debian-packages.txt, by their names in this release.
listed_packages() {
  local list known line name
  list=$(grep -v -e '^#' -e '^$' "$here/debian-packages.txt")
  # One call for all names, because apt takes most of a second to start.
  known=$(apt-cache policy ${list//|/ } |
    awk '/^[a-z]/ { name = $1 } /Candidate: [0-9]/ { print name }')
  while read -r line; do
    for name in ${line//|/ }; do
      if grep -qx "$name:" <<<"$known"; then
        echo "$name"
        continue 2
      fi
    done
    echo "apt cannot find the package $line. Run \`apt-get update\` as root and try again." >&2
    return 6
  done <<<"$list"
}

# Prints "package dependency" pairs. Only libraries and the versioned packages of
# Python and the kernel count as dependencies. Dependencies of libc6 are ignored
# because they are circular.
edges() { # package...
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
    --no-breaks --no-replaces --no-enhances "$@" |
    awk '
      /^[a-z]/ { package = $1 }
      /Depends:/ && package != "libc6" &&
        $2 ~ /^(lib[a-z0-9]|zlib1g|python3\.[0-9]+-minimal|linux-(base|binary|image|modules)-[0-9])/ &&
        $2 !~ /-(common|data|db|perl)$/ { print package, $2 }
    ' | sort -u
}

# Prints the given packages and all their direct and indirect dependencies.
# Reads the edges from stdin.
reachable() { # package...
  awk -v roots="$*" '
    { targets[$1] = targets[$1] " " $2 }
    END {
      count = split(roots, queue, " ")
      for (i = 1; i <= count; i++) {
        if (queue[i] in seen) continue
        seen[queue[i]] = 1
        print queue[i]
        n = split(targets[queue[i]], dependencies, " ")
        for (j = 1; j <= n; j++) queue[++count] = dependencies[j]
      }
    }'
}

# Prints the package's file in DEBS, if it exists.
deb_of() { # package
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

# Deletes the kernel modules that a virtual machine does not need. All of them
# take 90 MB.
prune_modules() { # directory
  [[ -d $1 ]] || return 0
  local drivers='drivers/(ata|block|char|net|scsi|virtio)'
  local files='fs/(fat|nls|overlayfs)'
  local network='net/(core|netfilter|(ipv4|ipv6)(/netfilter)?)'
  local keep=".*/kernel/(crypto|lib|$drivers|$files|$network)/[^/]*"
  find "$1" -name '*.ko*' -regextype posix-extended ! -regex "$keep" -delete
  find "$1" -type d -empty -delete
  # busybox cannot load the compressed modules of newer releases.
  find "$1" -name '*.ko.xz' -exec xz --decompress {} +
  find "$1" -name '*.ko.zst' -exec zstd --quiet --rm --decompress {} +
}

unpack() { # package deb
  local dir=$out/$1
  mkdir "$dir"
  dpkg-deb --extract "$2" "$dir"
  # Older releases have these directories outside /usr, too.
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

names=$(listed_packages)
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
