#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CImages.h"
#include "libraries.h"

// zlib and libzstd

/// zlib.h
struct z_stream {
  const uint8_t *next_in;
  unsigned avail_in;
  unsigned long total_in;
  uint8_t *next_out;
  unsigned avail_out;
  unsigned long total_out;
  const char *msg;
  void *state;
  void *(*zalloc)(void *, unsigned, unsigned);
  void (*zfree)(void *, void *);
  void *opaque;
  int data_type;
  unsigned long adler;
  unsigned long reserved;
};
enum { Z_STREAM_END = 1, Z_BUF_ERROR = -5, WINDOW_GZIP = 15 + 16 };

/// zstd.h
struct zstd_in {
  const void *src;
  size_t size, pos;
};
struct zstd_out {
  void *dst;
  size_t size, pos;
};
enum { ZSTD_WINDOW_LOG_MAX = 100, ZSTD_LARGEST_WINDOW_LOG = 27 };

static struct {
  int (*init)(struct z_stream *, int, const char *, int);
  int (*inflate)(struct z_stream *, int);
  int (*reset)(struct z_stream *);
  int (*end)(struct z_stream *);
  const char *(*version)(void);
} zlib;

/// The head of struct inflate_state in ISA-L's igzip_lib.h; below, where two of its later members are. `is_isal_known` tries them.
struct isal_state {
  uint8_t *next_out;
  uint32_t avail_out, total_out;
  const uint8_t *next_in;
  uint64_t read_in;
  uint32_t avail_in;
  int32_t read_in_length;
};
enum { ISAL_STATE_SIZE = 1 << 17, ISAL_BLOCK_STATE = 21160, ISAL_CRC_FLAG = 21172, ISAL_FINISH = 5, ISAL_GZIP = 1 };

/// Twice as fast as zlib. It need not be there.
static struct {
  void (*init)(void *);
  void (*reset)(void *);
  int (*inflate)(void *);
} isal;

static struct {
  void *(*make)(void);
  size_t (*free)(void *);
  size_t (*set)(void *, int, int);
  size_t (*decode)(void *, struct zstd_out *, struct zstd_in *);
  unsigned (*is_error)(size_t);
  const char *(*error_name)(size_t);
} zstd;

// libarchive

typedef ssize_t read_callback(void *archive, void *context, const void **bytes);

static struct {
  void *(*make)(void);
  int (*free)(void *);
  int (*filter_none)(void *);
  int (*filter_xz)(void *);
  int (*filter_bzip2)(void *);
  int (*format_tar)(void *);
  int (*open)(void *, void *, void *, read_callback *, void *);
  int (*next)(void *, void **);
  int (*data)(void *, const void **, size_t *, int64_t *);
  const char *(*error)(void *);
  const char *(*pathname)(void *);
  const char *(*hardlink)(void *);
  const char *(*symlink)(void *);
  unsigned (*filetype)(void *);
  int64_t (*size)(void *);
  int64_t (*uid)(void *);
  int64_t (*gid)(void *);
  unsigned (*perm)(void *);
  time_t (*mtime)(void *);
  long (*nsec)(void *);
  dev_t (*major)(void *);
  dev_t (*minor)(void *);
  int (*xattr_reset)(void *);
  int (*xattr_next)(void *, const char **, const void **, size_t *);
  void (*set_error)(void *, int, const char *, ...);
} tar;

static uint32_t *isal_member(struct isal_state *state, size_t offset) { return (uint32_t *)(void *)((char *)state + offset); }

static struct isal_state *make_isal(void) {
  struct isal_state *state = calloc(1, ISAL_STATE_SIZE);
  if (!state) return NULL;
  isal.init(state);
  *isal_member(state, ISAL_CRC_FLAG) = ISAL_GZIP;
  return state;
}

static void restart_isal(struct isal_state *state) {
  isal.reset(state);
  *isal_member(state, ISAL_CRC_FLAG) = ISAL_GZIP;
}

static int is_isal_finished(struct isal_state *state) { return *isal_member(state, ISAL_BLOCK_STATE) == ISAL_FINISH; }

/// Decompresses two members of a letter each. A library whose structures are others than these fails here.
static int is_isal_known(void) {
  static const uint8_t members[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x04, 0x00, 0x43, 0xbe, 0xb7, 0xe8, 0x01, 0x00, 0x00, 0x00,
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x02, 0x00, 0xf9, 0xef, 0xbe, 0x71, 0x01, 0x00, 0x00, 0x00,
  };
  uint8_t text[8] = {0};
  struct isal_state *state = make_isal();
  if (!state) return 0;
  state->next_in = members;
  state->avail_in = sizeof members;
  state->next_out = text;
  state->avail_out = sizeof text;
  int is_known = isal.inflate(state) == 0 && is_isal_finished(state) && state->next_in == members + sizeof members / 2 &&
                 text[0] == 'a' && state->avail_out == sizeof text - 1;
  if (is_known) {
    restart_isal(state);
    is_known = isal.inflate(state) == 0 && is_isal_finished(state) && state->avail_in == 0 && text[1] == 'b';
  }
  free(state);
  return is_known;
}

static void load_isal(void) {
  char reason[256];
  const struct images_symbol symbols[] = {
      {"isal_inflate_init", &isal.init}, {"isal_inflate_reset", &isal.reset}, {"isal_inflate", &isal.inflate}, {NULL, NULL}};
  void *library = images_library("libisal.so.2", reason, sizeof reason);
  if (!library || !images_symbols(library, symbols, reason, sizeof reason) || !is_isal_known()) isal.inflate = NULL;
}

static pthread_once_t unpacking_once = PTHREAD_ONCE_INIT;
static char unpacking_failure[256];

static void load_unpacking(void) {
  const char *reason;
  if (images_load_digests(&reason) < 0) {
    snprintf(unpacking_failure, sizeof unpacking_failure, "%s", reason);
    return;
  }
  const struct images_symbol zlib_symbols[] = {
      {"inflateInit2_", &zlib.init}, {"inflate", &zlib.inflate},     {"inflateReset", &zlib.reset},
      {"inflateEnd", &zlib.end},     {"zlibVersion", &zlib.version}, {NULL, NULL},
  };
  const struct images_symbol zstd_symbols[] = {
      {"ZSTD_createDStream", &zstd.make},      {"ZSTD_freeDStream", &zstd.free},
      {"ZSTD_DCtx_setParameter", &zstd.set},   {"ZSTD_decompressStream", &zstd.decode},
      {"ZSTD_isError", &zstd.is_error},        {"ZSTD_getErrorName", &zstd.error_name},
      {NULL, NULL},
  };
  const struct images_symbol tar_symbols[] = {
      {"archive_read_new", &tar.make},
      {"archive_read_free", &tar.free},
      {"archive_read_support_filter_none", &tar.filter_none},
      {"archive_read_support_filter_xz", &tar.filter_xz},
      {"archive_read_support_filter_bzip2", &tar.filter_bzip2},
      {"archive_read_support_format_tar", &tar.format_tar},
      {"archive_read_open", &tar.open},
      {"archive_read_next_header", &tar.next},
      {"archive_read_data_block", &tar.data},
      {"archive_error_string", &tar.error},
      {"archive_entry_pathname", &tar.pathname},
      {"archive_entry_hardlink", &tar.hardlink},
      {"archive_entry_symlink", &tar.symlink},
      {"archive_entry_filetype", &tar.filetype},
      {"archive_entry_size", &tar.size},
      {"archive_entry_uid", &tar.uid},
      {"archive_entry_gid", &tar.gid},
      {"archive_entry_perm", &tar.perm},
      {"archive_entry_mtime", &tar.mtime},
      {"archive_entry_mtime_nsec", &tar.nsec},
      {"archive_entry_rdevmajor", &tar.major},
      {"archive_entry_rdevminor", &tar.minor},
      {"archive_entry_xattr_reset", &tar.xattr_reset},
      {"archive_entry_xattr_next", &tar.xattr_next},
      {"archive_set_error", &tar.set_error},
      {NULL, NULL},
  };
  const struct {
    const char *name;
    const struct images_symbol *symbols;
  } libraries[] = {{"libz.so.1", zlib_symbols}, {"libzstd.so.1", zstd_symbols}, {"libarchive.so.13", tar_symbols}};
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
    void *library = images_library(libraries[i].name, unpacking_failure, sizeof unpacking_failure);
    if (!library || !images_symbols(library, libraries[i].symbols, unpacking_failure, sizeof unpacking_failure)) return;
  }
  load_isal();
}

int images_load_unpacking(const char **reason) {
  pthread_once(&unpacking_once, load_unpacking);
  *reason = unpacking_failure;
  return unpacking_failure[0] ? -1 : 0;
}

struct images_decoder {
  enum images_compression compression;
  /// Non-zero if the last member is whole. For gzip, the next byte then begins another member.
  int is_complete;
  struct z_stream gzip;
  /// In place of `gzip`, where there is ISA-L.
  struct isal_state *isal;
  void *zstd;
  const char *reason;
};

enum images_compression images_compression_of(const uint8_t *bytes, size_t count) {
  if (count >= 3 && bytes[0] == 0x1F && bytes[1] == 0x8B && bytes[2] == 8) return IMAGES_GZIP;
  if (count >= 4 && bytes[0] == 0x28 && bytes[1] == 0xB5 && bytes[2] == 0x2F && bytes[3] == 0xFD) return IMAGES_ZSTD;
  // A skippable frame.
  if (count >= 4 && (bytes[0] & 0xF0) == 0x50 && bytes[1] == 0x2A && bytes[2] == 0x4D && bytes[3] == 0x18) {
    return IMAGES_ZSTD;
  }
  return IMAGES_PLAIN;
}

struct images_decoder *images_decoder_make(enum images_compression compression) {
  struct images_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  decoder->compression = compression;
  decoder->is_complete = 1;
  switch (compression) {
    case IMAGES_PLAIN: return decoder;
    case IMAGES_GZIP:
      if (isal.inflate && (decoder->isal = make_isal())) return decoder;
      if (zlib.init(&decoder->gzip, WINDOW_GZIP, zlib.version(), (int)sizeof decoder->gzip) == 0) return decoder;
      break;
    case IMAGES_ZSTD:
      decoder->zstd = zstd.make();
      if (decoder->zstd && !zstd.is_error(zstd.set(decoder->zstd, ZSTD_WINDOW_LOG_MAX, ZSTD_LARGEST_WINDOW_LOG))) {
        return decoder;
      }
      if (decoder->zstd) zstd.free(decoder->zstd);
      break;
  }
  free(decoder);
  return NULL;
}

void images_decoder_free(struct images_decoder *decoder) {
  if (!decoder) return;
  if (decoder->isal) {
    free(decoder->isal);
  } else if (decoder->compression == IMAGES_GZIP) {
    zlib.end(&decoder->gzip);
  }
  if (decoder->compression == IMAGES_ZSTD) zstd.free(decoder->zstd);
  free(decoder);
}

static int inflate_some(struct images_decoder *decoder, const uint8_t *input, size_t input_count, size_t *taken,
                        uint8_t *output, size_t capacity, size_t *given) {
  struct z_stream *stream = &decoder->gzip;
  if (decoder->is_complete && input_count > 0) {
    if (zlib.reset(stream) != 0) {
      decoder->reason = "zlib cannot begin";
      return -1;
    }
    decoder->is_complete = 0;
  }
  stream->next_in = input;
  stream->avail_in = input_count > 1 << 30 ? 1 << 30 : (unsigned)input_count;
  stream->next_out = output;
  stream->avail_out = capacity > 1 << 30 ? 1 << 30 : (unsigned)capacity;
  unsigned offered = stream->avail_in, room = stream->avail_out;
  int answer = zlib.inflate(stream, 0);
  *taken = offered - stream->avail_in;
  *given = room - stream->avail_out;
  if (answer == Z_STREAM_END) decoder->is_complete = 1;
  if (answer >= 0 || answer == Z_BUF_ERROR) return 0;
  decoder->reason = stream->msg ? stream->msg : "the gzip stream is damaged";
  return -1;
}

static int inflate_by_isal(struct images_decoder *decoder, const uint8_t *input, size_t input_count, size_t *taken,
                           uint8_t *output, size_t capacity, size_t *given) {
  struct isal_state *state = decoder->isal;
  if (decoder->is_complete && input_count > 0) {
    restart_isal(state);
    decoder->is_complete = 0;
  }
  state->next_in = input;
  state->avail_in = input_count > 1 << 30 ? 1 << 30 : (uint32_t)input_count;
  state->next_out = output;
  state->avail_out = capacity > 1 << 30 ? 1 << 30 : (uint32_t)capacity;
  uint32_t offered = state->avail_in, room = state->avail_out;
  int answer = isal.inflate(state);
  *taken = offered - state->avail_in;
  *given = room - state->avail_out;
  if (is_isal_finished(state)) decoder->is_complete = 1;
  if (answer >= 0) return 0;
  decoder->reason = answer == -6 ? "the gzip stream has another checksum" : "the gzip stream is damaged";
  return -1;
}

static int decode_zstd(struct images_decoder *decoder, const uint8_t *input, size_t input_count, size_t *taken,
                       uint8_t *output, size_t capacity, size_t *given) {
  struct zstd_in in = {input, input_count, 0};
  struct zstd_out out = {output, capacity, 0};
  size_t answer = zstd.decode(decoder->zstd, &out, &in);
  *taken = in.pos;
  *given = out.pos;
  if (zstd.is_error(answer)) {
    decoder->reason = zstd.error_name(answer);
    return -1;
  }
  // With nothing taken and nothing given it only says that it would go on.
  if (in.pos > 0 || out.pos > 0) decoder->is_complete = answer == 0;
  return 0;
}

int images_decode(struct images_decoder *decoder, const uint8_t *input, size_t input_count, size_t *taken, uint8_t *output,
                  size_t capacity, size_t *given) {
  *taken = *given = 0;
  switch (decoder->compression) {
    case IMAGES_GZIP:
      if (decoder->isal) return inflate_by_isal(decoder, input, input_count, taken, output, capacity, given);
      return inflate_some(decoder, input, input_count, taken, output, capacity, given);
    case IMAGES_ZSTD: return decode_zstd(decoder, input, input_count, taken, output, capacity, given);
    case IMAGES_PLAIN: break;
  }
  size_t count = input_count < capacity ? input_count : capacity;
  memcpy(output, input, count);
  *taken = *given = count;
  return 0;
}

int images_decoder_is_complete(const struct images_decoder *decoder) { return decoder->is_complete; }

const char *images_decoder_reason(const struct images_decoder *decoder) {
  return decoder->reason ? decoder->reason : "the stream is damaged";
}

struct images_tar {
  void *archive;
  void *entry;
  images_tar_source *source;
  void *context;
};

static ssize_t read_tar(void *archive, void *context, const void **bytes) {
  struct images_tar *own = context;
  ssize_t count = own->source(own->context, bytes);
  if (count < 0) tar.set_error(archive, EIO, "the layer cannot be read");
  return count;
}

struct images_tar *images_tar_open(images_tar_source *source, void *context) {
  struct images_tar *own = calloc(1, sizeof *own);
  if (!own) return NULL;
  own->source = source;
  own->context = context;
  own->archive = tar.make();
  if (own->archive && tar.filter_none(own->archive) == 0 && tar.filter_xz(own->archive) >= -20 &&
      tar.filter_bzip2(own->archive) >= -20 && tar.format_tar(own->archive) == 0 &&
      tar.open(own->archive, own, NULL, read_tar, NULL) >= -20) {
    return own;
  }
  images_tar_free(own);
  return NULL;
}

void images_tar_free(struct images_tar *own) {
  if (!own) return;
  if (own->archive) tar.free(own->archive);
  free(own);
}

const char *images_tar_reason(struct images_tar *own) {
  const char *words = tar.error(own->archive);
  return words ? words : "the archive is damaged";
}

/// archive_entry.h, AE_IF…
static enum images_tar_kind kind_of(unsigned type) {
  switch (type) {
    case 0100000: return IMAGES_TAR_FILE;
    case 0040000: return IMAGES_TAR_FOLDER;
    case 0120000: return IMAGES_TAR_LINK;
    case 0020000: return IMAGES_TAR_CHARACTER_DEVICE;
    case 0060000: return IMAGES_TAR_BLOCK_DEVICE;
    case 0010000: return IMAGES_TAR_FIFO;
    default: return IMAGES_TAR_OTHER;
  }
}

int images_tar_next(struct images_tar *own, struct images_tar_entry *entry) {
  // ARCHIVE_OK 0, ARCHIVE_EOF 1, ARCHIVE_RETRY -10, ARCHIVE_WARN -20: a name that is no text is a warning here.
  int answer = tar.next(own->archive, &own->entry);
  if (answer == 1) return 0;
  if (answer != 0 && answer != -20) return -1;
  const char *hard = tar.hardlink(own->entry);
  entry->kind = hard ? IMAGES_TAR_HARD_LINK : kind_of(tar.filetype(own->entry));
  entry->path = tar.pathname(own->entry);
  entry->target = hard ? hard : tar.symlink(own->entry);
  entry->size = tar.size(own->entry);
  entry->user = tar.uid(own->entry);
  entry->group = tar.gid(own->entry);
  entry->mode = tar.perm(own->entry);
  entry->seconds = tar.mtime(own->entry);
  entry->nanoseconds = tar.nsec(own->entry);
  entry->major = (int64_t)tar.major(own->entry);
  entry->minor = (int64_t)tar.minor(own->entry);
  tar.xattr_reset(own->entry);
  return 1;
}

int images_tar_attribute(struct images_tar *own, const char **name, const void **value, size_t *size) {
  return tar.xattr_next(own->entry, name, value, size) == 0;
}

int images_tar_data(struct images_tar *own, const void **bytes, size_t *count, int64_t *offset) {
  int answer = tar.data(own->archive, bytes, count, offset);
  if (answer == 1) return 0;
  return answer == 0 ? 1 : -1;
}
