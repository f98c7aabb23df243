#include <pthread.h>
#include <stdlib.h>

#include "CImages.h"
#include "libraries.h"

/// libcrypto (evp.h).
static struct {
  void *(*make)(void);
  void (*free)(void *);
  const void *(*by_name)(const char *);
  int (*begin)(void *, const void *, void *);
  int (*update)(void *, const void *, size_t);
  int (*finish)(void *, unsigned char *, unsigned *);
} crypto;

static pthread_once_t crypto_once = PTHREAD_ONCE_INIT;
static char crypto_failure[256];

static void load_crypto(void) {
  void *library = images_library("libcrypto.so.3", crypto_failure, sizeof crypto_failure);
  const struct images_symbol symbols[] = {
      {"EVP_MD_CTX_new", &crypto.make},         {"EVP_MD_CTX_free", &crypto.free},
      {"EVP_get_digestbyname", &crypto.by_name}, {"EVP_DigestInit_ex", &crypto.begin},
      {"EVP_DigestUpdate", &crypto.update},     {"EVP_DigestFinal_ex", &crypto.finish},
      {NULL, NULL},
  };
  if (library) images_symbols(library, symbols, crypto_failure, sizeof crypto_failure);
}

int images_load_digests(const char **reason) {
  pthread_once(&crypto_once, load_crypto);
  *reason = crypto_failure;
  return crypto_failure[0] ? -1 : 0;
}

struct images_digest {
  void *context;
  /// True if a thread of its own does the work. `bytes` is what it is at, or is to take next.
  int is_beside, is_over, has_failed;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  const void *bytes;
  size_t count;
};

static void *hash_beside(void *context) {
  struct images_digest *digest = context;
  pthread_mutex_lock(&digest->mutex);
  for (;;) {
    while (!digest->bytes && !digest->is_over) pthread_cond_wait(&digest->changed, &digest->mutex);
    if (!digest->bytes) break;
    pthread_mutex_unlock(&digest->mutex);
    int answer = crypto.update(digest->context, digest->bytes, digest->count);
    pthread_mutex_lock(&digest->mutex);
    if (answer != 1) digest->has_failed = 1;
    digest->bytes = NULL;
    pthread_cond_signal(&digest->changed);
  }
  pthread_mutex_unlock(&digest->mutex);
  return NULL;
}

void images_digest_begin_thread(struct images_digest *digest) {
  pthread_mutex_init(&digest->mutex, NULL);
  pthread_cond_init(&digest->changed, NULL);
  // Without a thread it is done where it is asked for.
  digest->is_beside = pthread_create(&digest->thread, NULL, hash_beside, digest) == 0;
}

/// Waits until the thread has nothing to do, and gives it something.
static void hand_over(struct images_digest *digest, const void *bytes, size_t count) {
  pthread_mutex_lock(&digest->mutex);
  while (digest->bytes) pthread_cond_wait(&digest->changed, &digest->mutex);
  digest->bytes = bytes;
  digest->count = count;
  pthread_cond_signal(&digest->changed);
  pthread_mutex_unlock(&digest->mutex);
}

struct images_digest *images_digest_make(const char *name) {
  struct images_digest *digest = calloc(1, sizeof *digest);
  if (!digest) return NULL;
  const void *function = crypto.by_name(name);
  digest->context = crypto.make();
  if (function && digest->context && crypto.begin(digest->context, function, NULL) == 1) return digest;
  images_digest_free(digest);
  return NULL;
}

int images_digest_update(struct images_digest *digest, const void *bytes, size_t count) {
  if (digest->is_beside) {
    hand_over(digest, bytes, count);
    return 0;
  }
  return crypto.update(digest->context, bytes, count) == 1 ? 0 : -1;
}

void images_digest_wait(struct images_digest *digest) {
  if (digest->is_beside) hand_over(digest, NULL, 0);
}

unsigned images_digest_finish(struct images_digest *digest, uint8_t *result) {
  unsigned count = 0;
  images_digest_wait(digest);
  if (digest->has_failed) return 0;
  return crypto.finish(digest->context, result, &count) == 1 ? count : 0;
}

void images_digest_free(struct images_digest *digest) {
  if (!digest) return;
  if (digest->is_beside) {
    pthread_mutex_lock(&digest->mutex);
    digest->is_over = 1;
    pthread_cond_signal(&digest->changed);
    pthread_mutex_unlock(&digest->mutex);
    pthread_join(digest->thread, NULL);
  }
  if (digest->context) crypto.free(digest->context);
  free(digest);
}
