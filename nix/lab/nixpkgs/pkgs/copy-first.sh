# For build scripts, because files move between releases of Debian.

# Copies the first candidate that exists. Fails if none of them exists.
copy_first() { # target, candidates...
  local target=$1 file
  shift
  for file; do
    [ -e "$file" ] || continue
    cp "$file" "$target"
    return
  done
  echo "Cannot find a file for $target in the Debian packages. Tried:" >&2
  printf -- '- %s\n' "$@" >&2
  return 1
}
