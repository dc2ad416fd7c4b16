# For machines without a keyboard and a screen: no login on the console.
{ lib, ... }:
{
  lab.console.enable = lib.mkDefault false;
  boot.kernelParams = [
    "panic=1"
    "boot.panic_on_fail"
  ];
}
