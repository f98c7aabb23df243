#define _GNU_SOURCE
#include "CLinux.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// bpf(2), and BPF_PROG_TYPE_CGROUP_DEVICE in the kernel's cgroup-v2.rst.

int stack_load_device_filter(const void *instructions, unsigned count) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = (uint64_t)(uintptr_t)instructions;
  attributes.insn_cnt = count;
  attributes.license = (uint64_t)(uintptr_t) "GPL";
  return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
}

int stack_attach_device_filter(int cgroup, int program) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.target_fd = (uint32_t)cgroup;
  attributes.attach_bpf_fd = (uint32_t)program;
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof attributes);
}
