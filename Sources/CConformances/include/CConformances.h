#ifndef CCONFORMANCES_H
#define CCONFORMANCES_H

#include <stddef.h>
#include <stdint.h>

// An index of the protocol conformances of this program.
//
// The Swift runtime answers "does this type conform to that protocol?" by a walk past all conformances of the program. With 7,500 of them, a
// walk takes 30 microseconds, and a command asks 60 times before its first real work. One walk makes an index here, and most questions are
// answered from it. A release is linked with --wrap for the runtime's entry points (Package.swift); what the index cannot answer goes on to
// the runtime.
//
// Layout of the records: TargetProtocolConformanceDescriptor and ConformanceFlags in include/swift/ABI/Metadata.h and MetadataValues.h of
// Swift 6.

// The witness table for `type` as `protocol`, or NULL where the index does not know: generic conformances with conditions, those that belong
// to a global actor, classes, and types that do not conform.
const void *stack_conformance(const void *type, const void *protocol);

// The number of conformances in this program.
size_t stack_conformance_count(void);

// A conformance of this program, for tests: its protocol, and the descriptor of its type, or NULL for a type that has none.
struct stack_conformance {
  const void *protocol;
  const void *type;
  uint32_t flags;
};
struct stack_conformance stack_conformance_at(size_t index);

#endif
