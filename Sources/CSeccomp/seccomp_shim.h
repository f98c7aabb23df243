// libseccomp, and what of it are macros that do not import.
#pragma once
#include <seccomp.h>
#include <stdint.h>

static inline uint32_t stack_seccomp_allow(void) { return SCMP_ACT_ALLOW; }
static inline uint32_t stack_seccomp_errno(uint16_t error) { return SCMP_ACT_ERRNO(error); }
static inline uint32_t stack_seccomp_kill_thread(void) { return SCMP_ACT_KILL_THREAD; }
static inline uint32_t stack_seccomp_kill_process(void) { return SCMP_ACT_KILL_PROCESS; }
static inline uint32_t stack_seccomp_trap(void) { return SCMP_ACT_TRAP; }
static inline uint32_t stack_seccomp_log(void) { return SCMP_ACT_LOG; }

/// The 32-bit programs that this architecture also runs.
static inline uint32_t stack_seccomp_compat_arch(void) {
#if defined(__x86_64__)
  return SCMP_ARCH_X86;
#elif defined(__aarch64__)
  return SCMP_ARCH_ARM;
#else
  return 0;
#endif
}
