# Builds a derivation: runs either its buildCommand or its phases.
PATH=
for input in $nativeBuildInputs $initialPath; do
  PATH="${PATH:+$PATH:}$input/bin"
done
export PATH
export HOME=/homeless-shelter
cd "${NIX_BUILD_TOP:-.}"

runHook() {
  eval "$(eval "printf %s \"\$$1\"")"
}

if [ -n "$buildCommandPath" ]; then
  . "$buildCommandPath"
elif [ -n "$buildCommand" ]; then
  eval "$buildCommand"
else
  if [ -d "$src" ]; then
    cp -r "$src" source
    chmod -R u+w source
    cd source
  elif [ -n "$src" ]; then
    tar xf "$src"
    cd */
  fi
  eval "$buildPhase"
  eval "$installPhase"
fi
