// Loading of libraries by name.
#pragma once
#include <stddef.h>

struct images_symbol {
  const char *name;
  /// The address of a pointer to a function.
  void *place;
};

/// dlopen(3), or NULL with why in `reason`.
void *images_library(const char *name, char *reason, size_t size);
/// Looks all of them up; answers 0 with the one that is missing in `reason`.
int images_symbols(void *library, const struct images_symbol *symbols, char *reason, size_t size);
