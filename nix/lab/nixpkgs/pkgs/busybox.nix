# busybox, with a link for each of its programs. It is its own builder, because
# busybox contains all programs that the build needs.
{
  system,
  static,
  version,
}:
derivation {
  name = "busybox-${version}";
  inherit system static;
  builder = static;
  args = [
    "sh"
    "-ec"
    ''
      $static mkdir -p $out/bin
      $static cp $static $out/bin/busybox
      for applet in $($static --list); do
        [ $applet = busybox ] || $static ln -s busybox $out/bin/$applet
      done
    ''
  ];
}
// {
  pname = "busybox";
  inherit version;
  meta.mainProgram = "busybox";
}
