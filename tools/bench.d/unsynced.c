/// Loaded before libc, for a pull that is to leave writing to the kernel, as others do.
int syncfs(int file) { return file < 0; }
int fsync(int file) { return file < 0; }
