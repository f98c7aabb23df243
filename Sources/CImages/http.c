#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CImages.h"
#include "libraries.h"

typedef void CURL;
struct curl_slist;

static struct {
  int (*global_init)(long);
  CURL *(*easy_init)(void);
  void (*easy_cleanup)(CURL *);
  void (*easy_reset)(CURL *);
  int (*easy_setopt)(CURL *, int, ...);
  int (*easy_perform)(CURL *);
  int (*easy_getinfo)(CURL *, int, ...);
  const char *(*easy_strerror)(int);
  struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
  void (*slist_free_all)(struct curl_slist *);
} curl;

// curl/curl.h
enum {
  OPT_WRITEDATA = 10001,
  OPT_URL = 10002,
  OPT_READDATA = 10009,
  OPT_ERRORBUFFER = 10010,
  OPT_WRITEFUNCTION = 20011,
  OPT_READFUNCTION = 20012,
  OPT_POSTFIELDS = 10015,
  OPT_LOW_SPEED_LIMIT = 19,
  OPT_LOW_SPEED_TIME = 20,
  OPT_HTTPHEADER = 10023,
  OPT_HEADERDATA = 10029,
  OPT_CUSTOMREQUEST = 10036,
  OPT_NOPROGRESS = 43,
  OPT_NOBODY = 44,
  OPT_UPLOAD = 46,
  OPT_XFERINFODATA = 10057,
  OPT_SSL_VERIFYPEER = 64,
  OPT_CONNECTTIMEOUT = 78,
  OPT_HEADERFUNCTION = 20079,
  OPT_SSL_VERIFYHOST = 81,
  OPT_BUFFERSIZE = 98,
  OPT_NOSIGNAL = 99,
  OPT_INFILESIZE_LARGE = 30115,
  OPT_POSTFIELDSIZE_LARGE = 30120,
  OPT_SSLCERT_BLOB = 40291,
  OPT_SSLKEY_BLOB = 40292,
  OPT_CAINFO_BLOB = 40309,
  OPT_PATH_AS_IS = 234,
  OPT_PROTOCOLS = 181,
  OPT_OPENSOCKETFUNCTION = 20163,
  OPT_OPENSOCKETDATA = 10164,
  OPT_XFERINFOFUNCTION = 20219,
  INFO_RESPONSE_CODE = 0x200002,
  GLOBAL_ALL = 3,
  PROTOCOLS_HTTP = 3,
};
enum { READ_ABORT = 0x10000000 };
enum {
  CODE_URL = 3,
  CODE_PROXY = 5,
  CODE_HOST = 6,
  CODE_CONNECT = 7,
  CODE_WRITE = 23,
  CODE_TIMEOUT = 28,
  CODE_TLS = 35,
  CODE_ABORTED = 42,
  CODE_CERTIFICATE = 58,
  CODE_PEER = 60,
  CODE_CA_FILE = 77,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[256];

static void load(void) {
  void *library = images_library("libcurl.so.4", failure, sizeof failure);
  const struct images_symbol symbols[] = {
      {"curl_global_init", &curl.global_init},     {"curl_easy_init", &curl.easy_init},
      {"curl_easy_cleanup", &curl.easy_cleanup},   {"curl_easy_reset", &curl.easy_reset},
      {"curl_easy_setopt", &curl.easy_setopt},     {"curl_easy_perform", &curl.easy_perform},
      {"curl_easy_getinfo", &curl.easy_getinfo},   {"curl_easy_strerror", &curl.easy_strerror},
      {"curl_slist_append", &curl.slist_append},   {"curl_slist_free_all", &curl.slist_free_all},
      {NULL, NULL},
  };
  if (!library || !images_symbols(library, symbols, failure, sizeof failure)) return;
  if (curl.global_init(GLOBAL_ALL) != 0) snprintf(failure, sizeof failure, "libcurl cannot begin");
}

int images_load_transfer(const char **reason) {
  pthread_once(&once, load);
  *reason = failure;
  return failure[0] ? -1 : 0;
}

struct images_connection {
  CURL *handle;
};

struct images_connection *images_connection_make(void) {
  struct images_connection *connection = calloc(1, sizeof *connection);
  if (connection) connection->handle = curl.easy_init();
  if (connection && connection->handle) return connection;
  free(connection);
  return NULL;
}

void images_connection_free(struct images_connection *connection) {
  if (!connection) return;
  curl.easy_cleanup(connection->handle);
  free(connection);
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context) {
  const struct images_request *request = context;
  request->on_header(request->context, bytes, size * count);
  return size * count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
  const struct images_request *request = context;
  return request->on_body(request->context, bytes, size * count);
}

static size_t give_body(char *bytes, size_t size, size_t count, void *context) {
  const struct images_request *request = context;
  ssize_t given = request->read(request->context, bytes, size * count);
  return given < 0 ? READ_ABORT : (size_t)given;
}

/// struct curl_sockaddr of curl/curl.h, with room for an address of any family.
struct peer {
  int family;
  int type;
  int protocol;
  unsigned length;
  struct sockaddr_storage address;
};

static int is_near_v4(uint32_t address) {
  unsigned first = address >> 24;
  return first == 0 || first == 127 || address >> 16 == 0xA9FE;
}

/// This host's loopback, and link-local addresses: 127.0.0.0/8, 0.0.0.0/8, 169.254.0.0/16, ::1, ::, fe80::/10 and AWS's fd00:ec2::254.
static int is_near(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) return is_near_v4(ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
  if (address->sa_family != AF_INET6) return 1;
  const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
  static const unsigned char metadata[16] = {0xFD, 0x00, 0x0E, 0xC2, [14] = 0x02, [15] = 0x54};
  uint32_t last;
  memcpy(&last, v6->s6_addr + 12, sizeof last);
  if (IN6_IS_ADDR_V4MAPPED(v6)) return is_near_v4(ntohl(last));
  return IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_UNSPECIFIED(v6) || IN6_IS_ADDR_LINKLOCAL(v6) || memcmp(v6, metadata, 16) == 0;
}

static int has_proxy(void) {
  static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
  for (const char *const *name = names; *name; name++) {
    const char *value = getenv(*name);
    if (value && *value) return 1;
  }
  return 0;
}

/// By the address that is connected to, and not by a name, which may lead elsewhere the next time.
static int open_socket(void *context, int purpose, struct peer *peer) {
  int *was_refused = context;
  (void)purpose;
  if (is_near((const struct sockaddr *)&peer->address)) {
    *was_refused = 1;
    return -1;
  }
  return socket(peer->family, peer->type | SOCK_CLOEXEC, peer->protocol);
}

static int look(void *context, int64_t total, int64_t now, int64_t upload_total, int64_t upload_now) {
  const struct images_request *request = context;
  (void)total, (void)now, (void)upload_total, (void)upload_now;
  return request->is_stopped(request->context);
}

static enum images_outcome outcome(int code) {
  switch (code) {
    case 0: return IMAGES_DONE;
    case CODE_PROXY:
    case CODE_HOST:
    case CODE_CONNECT: return IMAGES_UNREACHABLE;
    case CODE_URL: return IMAGES_BAD_ADDRESS;
    case CODE_WRITE:
    case CODE_ABORTED: return IMAGES_STOPPED;
    case CODE_TLS:
    case CODE_CERTIFICATE:
    case CODE_PEER:
    case CODE_CA_FILE: return IMAGES_UNTRUSTED;
    default: return IMAGES_BROKEN_OFF;
  }
}

/// Of curl/curl.h. libcurl copies nothing: the bytes stay where they are until the request is over.
static void set_bytes(CURL *handle, int option, struct images_bytes bytes) {
  struct {
    const void *data;
    size_t size;
    unsigned flags;
  } blob = {bytes.start, bytes.count, 0};
  if (bytes.start) curl.easy_setopt(handle, option, &blob);
}

/// True for what a server says that wants another certificate of us, or none.
static int is_alert(const char *words) {
  return strstr(words, "alert certificate") || strstr(words, "alert bad certificate") || strstr(words, "alert unknown ca") ||
         strstr(words, "alert handshake failure");
}

enum images_outcome images_perform(struct images_connection *connection, const struct images_request *request, long *status,
                                   char reason[256]) {
  CURL *handle = connection->handle;
  struct curl_slist *headers = NULL;
  char words[256] = "";
  int was_refused = 0;
  *status = 0;
  reason[0] = 0;
  curl.easy_reset(handle);
  for (const char *const *line = request->headers; *line; line++) {
    struct curl_slist *longer = curl.slist_append(headers, *line);
    if (!longer) {
      curl.slist_free_all(headers);
      snprintf(reason, 256, "out of memory");
      return IMAGES_BROKEN_OFF;
    }
    headers = longer;
  }
  curl.easy_setopt(handle, OPT_URL, request->url);
  curl.easy_setopt(handle, OPT_PROTOCOLS, (long)PROTOCOLS_HTTP);
  curl.easy_setopt(handle, OPT_PATH_AS_IS, 1L);
  curl.easy_setopt(handle, OPT_NOSIGNAL, 1L);
  curl.easy_setopt(handle, OPT_ERRORBUFFER, words);
  curl.easy_setopt(handle, OPT_HTTPHEADER, headers);
  curl.easy_setopt(handle, OPT_BUFFERSIZE, 512L * 1024);
  curl.easy_setopt(handle, OPT_CONNECTTIMEOUT, request->connect_seconds);
  curl.easy_setopt(handle, OPT_LOW_SPEED_LIMIT, 1L);
  curl.easy_setopt(handle, OPT_LOW_SPEED_TIME, request->idle_seconds);
  curl.easy_setopt(handle, OPT_HEADERFUNCTION, take_header);
  curl.easy_setopt(handle, OPT_HEADERDATA, request);
  curl.easy_setopt(handle, OPT_WRITEFUNCTION, take_body);
  curl.easy_setopt(handle, OPT_WRITEDATA, request);
  curl.easy_setopt(handle, OPT_NOPROGRESS, 0L);
  curl.easy_setopt(handle, OPT_XFERINFOFUNCTION, look);
  curl.easy_setopt(handle, OPT_XFERINFODATA, request);
  if (strcmp(request->method, "HEAD") == 0) {
    curl.easy_setopt(handle, OPT_NOBODY, 1L);
  } else if (request->read) {
    curl.easy_setopt(handle, OPT_UPLOAD, 1L);
    curl.easy_setopt(handle, OPT_READFUNCTION, give_body);
    curl.easy_setopt(handle, OPT_READDATA, request);
    curl.easy_setopt(handle, OPT_INFILESIZE_LARGE, request->read_size);
  } else if (request->has_body) {
    curl.easy_setopt(handle, OPT_POSTFIELDSIZE_LARGE, (int64_t)request->body.count);
    curl.easy_setopt(handle, OPT_POSTFIELDS, request->body.count ? request->body.start : "");
  }
  if (strcmp(request->method, "HEAD") != 0) curl.easy_setopt(handle, OPT_CUSTOMREQUEST, request->method);
  set_bytes(handle, OPT_CAINFO_BLOB, request->authority);
  set_bytes(handle, OPT_SSLCERT_BLOB, request->certificate);
  set_bytes(handle, OPT_SSLKEY_BLOB, request->key);
  if (request->accepts_any_certificate) {
    curl.easy_setopt(handle, OPT_SSL_VERIFYPEER, 0L);
    curl.easy_setopt(handle, OPT_SSL_VERIFYHOST, 0L);
  }
  if (request->keeps_off_host && !has_proxy()) {
    curl.easy_setopt(handle, OPT_OPENSOCKETFUNCTION, open_socket);
    curl.easy_setopt(handle, OPT_OPENSOCKETDATA, &was_refused);
  }
  int code = curl.easy_perform(handle);
  curl.easy_getinfo(handle, INFO_RESPONSE_CODE, status);
  if (code != 0) snprintf(reason, 256, "%s", words[0] ? words : curl.easy_strerror(code));
  curl.slist_free_all(headers);
  if (code != 0 && was_refused) return IMAGES_KEPT_OFF;
  return code != 0 && is_alert(reason) ? IMAGES_UNTRUSTED : outcome(code);
}
