# The drivers of QEMU's devices: the lab's machines have them anyway.
{ }
