// System calls without a C library, for stack-init alone. A static glibc spends more time on getting to know the
// processor (each cpuid leaves a virtual machine) than stack-init spends on everything else, and is 200 times its size.
//
// Each call answers what the kernel does: a result, or -errno (syscall(2)).
#ifndef STACK_INIT_SYSTEM_H
#define STACK_INIT_SYSTEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call start\n"
    "  hlt\n");

static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

__asm__(
    ".globl _start\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n"
    "  bl start\n"
    "  brk #0\n");

static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

#else
#error "stack-init knows the system calls of x86_64 and aarch64"
#endif

#define CALL_6(number, a, b, c, d, e, f, ...) \
  call6((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/// A system call with up to six arguments.
#define CALL(...) CALL_6(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/// The kernel's own signal set: signal N is bit N - 1 (sigprocmask(2), "C library/kernel differences").
typedef uint64_t signal_set;
#define SIGNAL(number) ((signal_set)1 << ((number) - 1))

// The compiler may call these for copies of its own (GCC manual, "Standards": freestanding).
void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  char *target = to;
  const char *source = from;
  while (count--) *target++ = *source++;
  return to;
}

void *memset(void *to, int value, size_t count) {
  char *target = to;
  while (count--) *target++ = (char)value;
  return to;
}

static inline size_t length_until(const char *text, char end) {
  size_t length = 0;
  while (text[length] && text[length] != end) length++;
  return length;
}

#endif
