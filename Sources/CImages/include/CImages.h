// Libraries that only a pull needs, loaded when it begins: linked in, each would cost every command its start (a pull's own
// libraries take 4 ms to load). Declared here and not by their headers, which a build so does without; the numbers and
// structures are part of each library's binary interface.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Each loads the libraries of one purpose, once: HTTP, unpacking with digests, digests alone. Answers 0, or -1 with why in the
/// words of dlerror(3). What is below must not be called before.
int images_load_transfer(const char **reason);
int images_load_unpacking(const char **reason);
int images_load_digests(const char **reason);

// SHA-2, by libcrypto.

struct images_digest;
/// `name`: SHA256 or SHA512. NULL when there is no memory, or no such function.
struct images_digest *images_digest_make(const char *name);
/// From here on a thread of its own hashes: bytes that are given stay as they are until the next are.
void images_digest_begin_thread(struct images_digest *digest);
int images_digest_update(struct images_digest *digest, const void *bytes, size_t count);
/// Returns when that thread has nothing more to do.
void images_digest_wait(struct images_digest *digest);
/// Writes at most 64 bytes, and answers how many; 0 on failure.
unsigned images_digest_finish(struct images_digest *digest, uint8_t *result);
void images_digest_free(struct images_digest *digest);

// Decompression, by zlib and libzstd. Several members or frames follow one another as one.

struct images_decoder;
enum images_compression { IMAGES_PLAIN, IMAGES_GZIP, IMAGES_ZSTD };
/// The compression of a stream by its first bytes. Four bytes are enough.
enum images_compression images_compression_of(const uint8_t *bytes, size_t count);
struct images_decoder *images_decoder_make(enum images_compression compression);
void images_decoder_free(struct images_decoder *decoder);
/// Takes bytes in and gives bytes out, of each no more than there is room for, and says how many of each. Answers 0, or -1 when
/// the stream is damaged.
int images_decode(struct images_decoder *decoder, const uint8_t *input, size_t input_count, size_t *taken, uint8_t *output,
                  size_t capacity, size_t *given);
/// 1 when a stream may end here: the last member is whole.
int images_decoder_is_complete(const struct images_decoder *decoder);
/// In words, after -1.
const char *images_decoder_reason(const struct images_decoder *decoder);

// Tar, by libarchive.

struct images_tar;
/// Answers the number of bytes in `*bytes`, 0 at the end, or -1.
typedef ssize_t images_tar_source(void *context, const void **bytes);
struct images_tar *images_tar_open(images_tar_source *source, void *context);
void images_tar_free(struct images_tar *tar);
const char *images_tar_reason(struct images_tar *tar);

enum images_tar_kind {
  IMAGES_TAR_FILE,
  IMAGES_TAR_FOLDER,
  IMAGES_TAR_LINK,
  IMAGES_TAR_HARD_LINK,
  IMAGES_TAR_CHARACTER_DEVICE,
  IMAGES_TAR_BLOCK_DEVICE,
  IMAGES_TAR_FIFO,
  IMAGES_TAR_OTHER,
};

struct images_tar_entry {
  enum images_tar_kind kind;
  /// Bytes with a NUL at their end, of the archive's own; until the next entry. `target`: of links of both kinds.
  const char *path;
  const char *target;
  int64_t size;
  int64_t user, group;
  uint32_t mode;
  int64_t seconds;
  int64_t nanoseconds;
  int64_t major, minor;
};

/// 1 with the next entry, 0 at the end of the archive, -1 when it is damaged.
int images_tar_next(struct images_tar *tar, struct images_tar_entry *entry);
/// 1 with a further extended attribute of the entry, 0 when there is none.
int images_tar_attribute(struct images_tar *tar, const char **name, const void **value, size_t *size);
/// 1 with further bytes of the entry's, 0 at its end, -1 when the archive is damaged. What lies between pieces is a hole.
int images_tar_data(struct images_tar *tar, const void **bytes, size_t *count, int64_t *offset);

// HTTP, by libcurl.

struct images_connection;
struct images_connection *images_connection_make(void);
void images_connection_free(struct images_connection *connection);

struct images_bytes {
  const void *start;
  size_t count;
};

struct images_request {
  const char *url;
  const char *method;
  /// Lines, with a NULL at the end.
  const char *const *headers;
  /// A body that is there at once.
  int has_body;
  struct images_bytes body;
  /// A body that is read piece by piece, when not NULL: answers how many bytes it put at `bytes`, or -1 to give up.
  ssize_t (*read)(void *context, void *bytes, size_t capacity);
  int64_t read_size;
  /// Certificates of further authorities, a client's certificate and key, in PEM; without a start for none.
  struct images_bytes authority, certificate, key;
  /// 1: the server's certificate may be any.
  int accepts_any_certificate;
  /// 1: no connection is made to this host's loopback or to a link-local address, where clouds give credentials to machines. What a
  /// proxy connects to is the proxy's affair.
  int keeps_off_host;
  long connect_seconds;
  /// A transfer that brings less than a byte in so many seconds is given up.
  long idle_seconds;
  /// A line of the answer's head. Bytes of its body: answers how many were taken, fewer to stop.
  void (*on_header)(void *context, const char *line, size_t count);
  size_t (*on_body)(void *context, const void *bytes, size_t count);
  /// Asked now and then: 1 to stop.
  int (*is_stopped)(void *context);
  void *context;
};

enum images_outcome { IMAGES_DONE, IMAGES_UNREACHABLE, IMAGES_BROKEN_OFF, IMAGES_UNTRUSTED, IMAGES_STOPPED, IMAGES_BAD_ADDRESS,
                      /// By `keeps_off_host`.
                      IMAGES_KEPT_OFF };

/// Sends a request and takes its answer, following no redirection. `status` is the answer's. What went wrong stands in `reason`, in
/// words.
enum images_outcome images_perform(struct images_connection *connection, const struct images_request *request, long *status,
                                   char reason[256]);

// Calls of unpacking that Swift cannot see.

/// fsetxattr(2), fgetxattr(2)
int images_set_attribute(int file, const char *name, const void *value, size_t size);
ssize_t images_attribute(int file, const char *name, void *value, size_t size);
/// flistxattr(2)
ssize_t images_attributes(int file, char *names, size_t size);
/// makedev(3)
unsigned images_major(dev_t device);
unsigned images_minor(dev_t device);
/// Copies a whole file, sharing its blocks where the file system can. 0, or -1.
int images_copy(int source, int target);
/// Makes a device with its numbers; 0, or -1.
int images_make_device(int folder, const char *name, mode_t mode, unsigned major, unsigned minor);
/// Sets the time of the last change of what has a name, which may be a link. 0, or -1.
int images_set_time(int folder, const char *name, int64_t seconds, long nanoseconds);
int images_set_time_of(int file, int64_t seconds, long nanoseconds);

struct images_room {
  uint64_t size, available;
  /// 0 where the file system makes inodes as it goes.
  uint64_t inodes, free_inodes;
};
/// statfs(2)
int images_space(int file, struct images_room *room);
/// Has the kernel begin to write what it keeps of a file to disk, and waits for nothing (sync_file_range(2)).
void images_begin_writing(int file);
/// syncfs(2)
int images_sync(int file);
/// renameat2(2) with RENAME_NOREPLACE.
int images_rename_to_new(const char *from, const char *to);

// Streams between processes.

/// Sends a descriptor with one byte over a socket. 0, or -1.
int images_send_descriptor(int socket, int descriptor);
/// Takes one. -1 at the end, or when the message has none.
int images_receive_descriptor(int socket);
/// Sends all of two pieces over a socket, one behind the other; no signal tells that the other side is gone. 0, or -1.
int images_send_pieces(int socket, const void *first, size_t first_count, const void *second, size_t second_count);
/// 1 when the other side of a socket is gone.
int images_is_hung_up(int socket);

/// Shuts this process in, for as long as it lives: nothing is written but below `folder`, nothing read but what is beside it and
/// what libraries load (the last with Landlock alone), nothing executed, no network; of root's
/// rights it keeps those over files and `trusted.` attributes. For a process of one thread. 0, or -1.
int images_enter_cage(const char *folder);
/// The same for a process that talks to servers: nothing is written or executed, and of files only those are read that names,
/// certificates and libraries are in. Root becomes nobody, without any capability. It has the network that there is.
int images_enter_network_cage(void);
