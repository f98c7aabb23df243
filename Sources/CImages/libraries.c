#include "libraries.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *images_library(const char *name, char *reason, size_t size) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *words = dlerror();
    snprintf(reason, size, "%s", words ? words : name);
  }
  return library;
}

int images_symbols(void *library, const struct images_symbol *symbols, char *reason, size_t size) {
  for (const struct images_symbol *symbol = symbols; symbol->name; symbol++) {
    void *address = dlsym(library, symbol->name);
    if (!address) {
      snprintf(reason, size, "the library has no %s", symbol->name);
      return 0;
    }
    memcpy(symbol->place, &address, sizeof address);
  }
  return 1;
}
