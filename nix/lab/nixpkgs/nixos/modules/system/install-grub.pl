# install-grub.pl GRUB BOOT SYSTEM TIMEOUT DEVICE...
#
# Writes BOOT/grub/grub.cfg with an entry for SYSTEM, and installs GRUB on each
# DEVICE, for machines that boot with BIOS. GRUB loads the kernel from the store,
# so the store must be on the same file system as BOOT.
use strict;
use warnings;

my ($grub, $boot, $system, $timeout, @devices) = @ARGV;

sub slurp {
    my ($file) = @_;
    open(my $handle, '<', $file) or die "cannot read $file: $!\n";
    local $/;
    return <$handle>;
}

my $params = slurp("$system/kernel-params");
my $label = slurp("$system/nixos-version");
my ($kernel, $initrd) = map { readlink("$system/$_") // die "$system/$_ is not a link\n" } qw(kernel initrd);
# An empty timeout means that the menu waits forever: -1 for GRUB.
$timeout = -1 if $timeout eq '';

my $serial = '';
if ($params =~ /console=ttyS0/) {
    $serial = "serial --unit=0 --speed=115200\n"
        . "terminal_input console serial\nterminal_output console serial\n";
}

mkdir "$boot/grub";
open(my $config, '>', "$boot/grub/grub.cfg.new") or die "cannot write grub.cfg: $!\n";
print $config <<"END";
$serial
set timeout=$timeout
menuentry "NixOS $label" {
  linux $kernel init=$system/init $params
  initrd $initrd
}
END
close($config) or die "cannot write grub.cfg: $!\n";
rename("$boot/grub/grub.cfg.new", "$boot/grub/grub.cfg") or die "cannot write grub.cfg: $!\n";

for my $device (@devices) {
    print "installing the GRUB 2 boot loader on $device...\n";
    system("$grub/bin/grub-install", "--target=i386-pc", "--directory=$grub/modules/i386-pc",
        "--boot-directory=$boot", $device) == 0
        or die "cannot install GRUB on $device\n";
}
