# Drivers for QEMU's devices. Empty, because all machines of the lab have them.
{ }
