#include "CConformances.h"

#include <pthread.h>
#include <stdlib.h>

// A field that holds the distance from itself to what it refers to.
typedef int32_t relative;

struct descriptor {
  relative protocol; // with 1 added where it leads to a pointer
  relative type;
  relative pattern;
  uint32_t flags;
};

enum {
  type_reference_shift = 3,
  type_reference_mask = 7,
  direct_type = 0,
  indirect_type = 1,
  conditions_mask = 0xFF << 8,
  is_of_protocol = 1 << 18,
  has_global_actor = 1 << 19,
  // Metadata of values whose description is its second word.
  kind_struct = 0x200,
  kind_enum = 0x201,
  kind_optional = 0x202,
};

// The linker sets the ends of a section whose name is an identifier.
extern const relative __start_swift5_protocol_conformances[] __attribute__((visibility("hidden")));
extern const relative __stop_swift5_protocol_conformances[] __attribute__((visibility("hidden")));

extern const void *swift_getWitnessTable(const void *conformance, const void *type, const void *const *arguments);

static const void *target(const relative *field) { return (const char *)field + *field; }

static const void *indirectable_target(const relative *field) {
  const void *place = (const char *)field + (*field & ~1);
  return *field & 1 ? *(const void *const *)place : place;
}

static const struct descriptor *descriptor_at(size_t index) {
  return target(&__start_swift5_protocol_conformances[index]);
}

size_t stack_conformance_count(void) {
  return (size_t)(__stop_swift5_protocol_conformances - __start_swift5_protocol_conformances);
}

static const void *type_of(const struct descriptor *descriptor) {
  switch (descriptor->flags >> type_reference_shift & type_reference_mask) {
  case direct_type: return target(&descriptor->type);
  case indirect_type: return *(const void *const *)target(&descriptor->type);
  default: return NULL;
  }
}

struct stack_conformance stack_conformance_at(size_t index) {
  const struct descriptor *descriptor = descriptor_at(index);
  return (struct stack_conformance){indirectable_target(&descriptor->protocol), type_of(descriptor), descriptor->flags};
}

// A hash table with a chain for each place. Numbers are those of conformances, and one more: 0 is none.
struct index {
  size_t mask;
  uint32_t *first;
  uint32_t *next;
};

static struct index table;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static size_t place(const void *type, const void *protocol) {
  uint64_t mixed = ((uintptr_t)type ^ (uint64_t)(uintptr_t)protocol << 17) * UINT64_C(0x9E3779B97F4A7C15);
  return mixed >> 32 & table.mask;
}

static void make(void) {
  size_t count = stack_conformance_count(), places = 1;
  while (places < count) places *= 2;
  uint32_t *room = calloc(places + count + 1, sizeof *room);
  // Without memory, the runtime answers everything.
  if (!room) return;
  table = (struct index){places - 1, room, room + places};
  for (size_t index = 0; index < count; index++) {
    struct stack_conformance found = stack_conformance_at(index);
    if (!found.type || found.flags & (conditions_mask | is_of_protocol | has_global_actor)) continue;
    uint32_t *head = &table.first[place(found.type, found.protocol)];
    table.next[index + 1] = *head;
    *head = (uint32_t)index + 1;
  }
}

const void *stack_conformance(const void *type, const void *protocol) {
  const uintptr_t *metadata = type;
  if (!metadata || !protocol) return NULL;
  if (metadata[0] != kind_struct && metadata[0] != kind_enum && metadata[0] != kind_optional) return NULL;
  pthread_once(&made, make);
  if (!table.first) return NULL;
  const void *description = (const void *)metadata[1];
  for (uint32_t number = table.first[place(description, protocol)]; number; number = table.next[number]) {
    const struct descriptor *descriptor = descriptor_at(number - 1);
    if (type_of(descriptor) == description && indirectable_target(&descriptor->protocol) == protocol)
      return swift_getWitnessTable(descriptor, type, NULL);
  }
  return NULL;
}

// The runtime's entry points, as ld(1) renames them with --wrap. They are weak because programs without that option, such as the tests, have
// none of these names.
extern const void *__real_swift_conformsToProtocol(const void *type, const void *protocol) __attribute__((weak));
extern const void *__real_swift_conformsToProtocolCommon(const void *type, const void *protocol) __attribute__((weak));
extern const void *__real_swift_conformsToProtocolWithExecutionContext(
    const void *type, const void *protocol, void *context) __attribute__((weak));

const void *__wrap_swift_conformsToProtocol(const void *type, const void *protocol);
const void *__wrap_swift_conformsToProtocolCommon(const void *type, const void *protocol);
const void *__wrap_swift_conformsToProtocolWithExecutionContext(const void *type, const void *protocol, void *context);

const void *__wrap_swift_conformsToProtocol(const void *type, const void *protocol) {
  const void *found = stack_conformance(type, protocol);
  return found ? found : __real_swift_conformsToProtocol(type, protocol);
}

const void *__wrap_swift_conformsToProtocolCommon(const void *type, const void *protocol) {
  const void *found = stack_conformance(type, protocol);
  return found ? found : __real_swift_conformsToProtocolCommon(type, protocol);
}

// The context is where a conformance says to which actor it belongs. Those in the index belong to none.
const void *__wrap_swift_conformsToProtocolWithExecutionContext(const void *type, const void *protocol, void *context) {
  const void *found = stack_conformance(type, protocol);
  return found ? found : __real_swift_conformsToProtocolWithExecutionContext(type, protocol, context);
}
