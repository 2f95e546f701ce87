// Subscribers that cost the machine as little as can be: a process that opens connections, subscribes, and counts what
// arrives by frame headers alone. What a client of Node pays for each read (a callback, a turn of its loop) is about
// half of what the kernel pays for it; with that half the client's core is full before a fast server's is, and what is
// measured is the client. Speaks with its parent as a child of Node does: JSON texts, each a line, on NODE_CHANNEL_FD.
//
// Options, each `name=value`:
//   port, connections, sample_every   numbers
//   whole=1                           every connection gets every event: a jump of `seq` is a loss
//   request                           the opening handshake, byte for byte
//   subscribe                         sent after it; of several, connections take turns; `#` = the connection's number
// Asked `"begin"` it forgets the latencies so far; to every message it answers with a report (src/load-client.ts).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  read_bytes = 256 * 1024,
  ready_at_once = 1024,
  subscribe_max = 1024,
  message_bytes = 64 * 1024,
  // A frame's type stands at its beginning.
  type_within = 24,
  // No ping is longer, and hardly anything else is as short.
  ping_bytes_max = 125,
  header_bytes_max = 10,
};

typedef struct {
  int fd;
  bool has_heard;
  // Bytes of the current payload that are still to come.
  uint64_t skip;
  uint8_t header[header_bytes_max];
  int header_bytes;
  uint64_t seen;
  // The newest `seq` that was looked at, and `seen` then.
  double seq;
  uint64_t seq_seen;
} Subscriber;

static struct {
  int port;
  int connections;
  uint64_t sample_every;
  bool whole;
  const char *request;
  const char *subscribe[subscribe_max];
  int subscribe_count;
} options = {.sample_every = 1};

static Subscriber *subscribers;
static uint8_t buffer[read_bytes];
static int channel;
static uint64_t connected, frames, bytes, gaps, out_of_order, missing, pings, closed_count;
static double connect_ms, connect_cpu_ms;
static double *latencies_ms;
static size_t latency_count, latency_room;

static void fail(const char *what) {
  fprintf(stderr, "subscribers: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double clock_ms(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double cpu_ms(void) { return clock_ms(CLOCK_PROCESS_CPUTIME_ID); }

static void send_all(int fd, const void *from, size_t length) {
  const char *at = from;
  for (const char *end = at + length; at < end;) {
    ssize_t sent = write(fd, at, (size_t)(end - at));
    if (sent < 0 && errno != EINTR) fail("write");
    if (sent > 0) at += sent;
  }
}

// A masked text frame of at most 64 KiB, as clients send them.
static void send_text(int fd, const char *text) {
  static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t length = strlen(text);
  if (length > 0xffff) fail("a subscription over 64 KiB");
  uint8_t *frame = malloc(length + 8);
  if (frame == NULL) fail("malloc");
  size_t head = 2;
  frame[0] = 0x81;
  frame[1] = 0x80 | (length < 126 ? (uint8_t)length : 126);
  if (length >= 126) {
    frame[head++] = (uint8_t)(length >> 8);
    frame[head++] = (uint8_t)length;
  }
  memcpy(frame + head, mask, sizeof mask);
  head += sizeof mask;
  for (size_t index = 0; index < length; index += 1) frame[head + index] = (uint8_t)text[index] ^ mask[index % 4];
  send_all(fd, frame, head + length);
  free(frame);
}

static bool number_after(const char *mark, const uint8_t *from, const uint8_t *end, double *number) {
  size_t length = strlen(mark);
  const uint8_t *found = memmem(from, (size_t)(end - from), mark, length);
  if (found == NULL) return false;
  char text[24] = {0};
  size_t left = (size_t)(end - found) - length;
  memcpy(text, found + length, left < sizeof text - 1 ? left : sizeof text - 1);
  char *after;
  *number = strtod(text, &after);
  // One that a read cut off is another number.
  bool is_cut = left < sizeof text && after == text + left;
  return after != text && !is_cut;
}

static void note_latency(double ms) {
  if (latency_count == latency_room) {
    latency_room = latency_room == 0 ? 4096 : latency_room * 2;
    latencies_ms = realloc(latencies_ms, latency_room * sizeof *latencies_ms);
    if (latencies_ms == NULL) fail("realloc");
  }
  latencies_ms[latency_count++] = ms;
}

// Looks at one event: [at, end) of its payload.
static void look(Subscriber *subscriber, const uint8_t *at, const uint8_t *end) {
  size_t head = end - at < type_within ? (size_t)(end - at) : type_within;
  if (memmem(at, head, "\"type\":\"gap\"", 12) != NULL) gaps += 1;
  double sent_at, seq;
  if (!number_after("\"sent_at\":", at, end, &sent_at)) return;
  // Both sides read the same clock: they are on one machine.
  note_latency(clock_ms(CLOCK_REALTIME) - sent_at);
  if (!number_after("\"seq\":", at, end, &seq)) return;
  if (seq <= subscriber->seq) out_of_order += 1;
  else if (options.whole && subscriber->seq > 0) {
    double passed = seq - subscriber->seq - (double)(subscriber->seen - subscriber->seq_seen);
    if (passed > 0) missing += (uint64_t)passed;
  }
  subscriber->seq = seq;
  subscriber->seq_seen = subscriber->seen;
}

static void begin_frame(Subscriber *subscriber, int opcode, const uint8_t *at, const uint8_t *end) {
  static const char ping[] = "{\"type\":\"ping\"";
  if (opcode != 1) return;
  frames += 1;
  subscriber->seen += 1;
  uint64_t left = (uint64_t)(end - at);
  if (left > subscriber->skip) left = subscriber->skip;
  // Who answers none is closed by Sluice after 100 s.
  if (subscriber->skip <= ping_bytes_max && left >= sizeof ping - 1 && memcmp(at, ping, sizeof ping - 1) == 0) {
    pings += 1;
    send_text(subscriber->fd, "{\"type\":\"pong\"}");
  }
  if (subscriber->seen % options.sample_every == 0) look(subscriber, at, at + left);
}

// Frames as servers send them, unmasked (RFC 6455 §5.2), wherever the reads cut them.
static void scan(Subscriber *subscriber, const uint8_t *at, const uint8_t *end) {
  while (at < end) {
    if (subscriber->skip > 0) {
      uint64_t left = (uint64_t)(end - at);
      uint64_t step = left < subscriber->skip ? left : subscriber->skip;
      subscriber->skip -= step;
      at += step;
      continue;
    }
    uint8_t *header = subscriber->header;
    header[subscriber->header_bytes++] = *at++;
    if (subscriber->header_bytes < 2) continue;
    int length = header[1] & 0x7f;
    int wanted = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (subscriber->header_bytes < wanted) continue;
    subscriber->skip = wanted == 2 ? (uint64_t)length : 0;
    for (int index = 2; index < wanted; index += 1) subscriber->skip = subscriber->skip << 8 | header[index];
    subscriber->header_bytes = 0;
    begin_frame(subscriber, header[0] & 0x0f, at, end);
  }
}

static void hear(Subscriber *subscriber) {
  ssize_t count = recv(subscriber->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    closed_count += 1;
    close(subscriber->fd);
    return;
  }
  subscriber->has_heard = true;
  bytes += (uint64_t)count;
  scan(subscriber, buffer, buffer + count);
}

static void subscribe(int fd, int number) {
  if (options.subscribe_count == 0) return;
  const char *text = options.subscribe[number % options.subscribe_count];
  char own[message_bytes];
  const char *place = strchr(text, '#');
  if (place != NULL) {
    snprintf(own, sizeof own, "%.*s%d%s", (int)(place - text), text, number, place + 1);
    text = own;
  }
  send_text(fd, text);
}

static void open_one(Subscriber *subscriber, int number) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  send_all(fd, options.request, strlen(options.request));
  char head[8192];
  size_t length = 0;
  char *end = NULL;
  while (end == NULL) {
    ssize_t count = read(fd, head + length, sizeof head - 1 - length);
    if (count <= 0) fail("the handshake");
    length += (size_t)count;
    head[length] = 0;
    end = strstr(head, "\r\n\r\n");
  }
  if (strncmp(head, "HTTP/1.1 101", 12) != 0) {
    fprintf(stderr, "subscribers: handshake refused: %.200s\n", head);
    exit(1);
  }
  subscriber->fd = fd;
  // Each looks at others: at the same ones, a low rate would have its latency from an event or two, or from none.
  subscriber->seen = (uint64_t)number % options.sample_every;
  connected += 1;
  subscribe(fd, number);
  scan(subscriber, (uint8_t *)end + 4, (uint8_t *)head + length);
}

// Those that got nothing since this was asked last.
static int count_silent(void) {
  int silent = 0;
  for (int index = 0; index < options.connections; index += 1) {
    silent += !subscribers[index].has_heard;
    subscribers[index].has_heard = false;
  }
  return silent;
}

static void report(void) {
  char *text;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  fprintf(out, "{\"connected\":%lu,\"frames\":%lu,\"bytes\":%lu,\"gaps\":%lu,\"outOfOrder\":%lu,\"missing\":%lu,", connected,
          frames, bytes, gaps, out_of_order, missing);
  fprintf(out, "\"pings\":%lu,\"closed\":%lu,\"silent\":%d,\"cpuMs\":%.3f,\"atMs\":%.3f,\"connectMs\":%.3f,\"connectCpuMs\":%.3f,",
          pings, closed_count, count_silent(), cpu_ms(), clock_ms(CLOCK_MONOTONIC), connect_ms, connect_cpu_ms);
  fprintf(out, "\"latenciesMs\":[");
  for (size_t index = 0; index < latency_count; index += 1) {
    fprintf(out, "%s%.3f", index == 0 ? "" : ",", latencies_ms[index]);
  }
  fprintf(out, "]}\n");
  fclose(out);
  latency_count = 0;
  send_all(channel, text, length);
  free(text);
}

// What the parent asks; it ends when the parent does.
static void obey(void) {
  static char line[message_bytes];
  static size_t length;
  char text[message_bytes];
  ssize_t count = read(channel, text, sizeof text);
  if (count <= 0) exit(0);
  for (ssize_t index = 0; index < count; index += 1) {
    if (text[index] != '\n') {
      if (length == sizeof line - 1) fail("a message is too long");
      line[length++] = text[index];
      continue;
    }
    line[length] = 0;
    length = 0;
    if (strcmp(line, "\"begin\"") == 0) latency_count = 0;
    report();
  }
}

static void take_option(const char *text) {
  const char *value = strchr(text, '=');
  if (value == NULL) return;
  size_t name = (size_t)(value++ - text);
  if (strncmp(text, "port", name) == 0) options.port = atoi(value);
  else if (strncmp(text, "connections", name) == 0) options.connections = atoi(value);
  else if (strncmp(text, "sample_every", name) == 0) options.sample_every = strtoull(value, NULL, 10);
  else if (strncmp(text, "whole", name) == 0) options.whole = *value == '1';
  else if (strncmp(text, "request", name) == 0) options.request = value;
  else if (strncmp(text, "subscribe", name) == 0) {
    if (options.subscribe_count == subscribe_max) fail("too many subscriptions");
    options.subscribe[options.subscribe_count++] = value;
  }
}

int main(int count, char **arguments) {
  for (int index = 1; index < count; index += 1) take_option(arguments[index]);
  const char *channel_fd = getenv("NODE_CHANNEL_FD");
  if (channel_fd == NULL || options.request == NULL || options.connections < 1) fail("run by a bench only");
  channel = atoi(channel_fd);
  subscribers = calloc((size_t)options.connections, sizeof *subscribers);
  if (subscribers == NULL) fail("calloc");
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  double start_ms = clock_ms(CLOCK_MONOTONIC), start_cpu_ms = cpu_ms();
  for (int index = 0; index < options.connections; index += 1) open_one(&subscribers[index], index);
  connect_ms = clock_ms(CLOCK_MONOTONIC) - start_ms;
  connect_cpu_ms = cpu_ms() - start_cpu_ms;

  int poll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, channel, &event) != 0) fail("epoll");
  for (int index = 0; index < options.connections; index += 1) {
    event.data.ptr = &subscribers[index];
    if (epoll_ctl(poll, EPOLL_CTL_ADD, subscribers[index].fd, &event) != 0) fail("epoll_ctl");
  }
  report();
  struct epoll_event ready[ready_at_once];
  for (;;) {
    int ready_count = epoll_wait(poll, ready, ready_at_once, -1);
    if (ready_count < 0 && errno != EINTR) fail("epoll_wait");
    for (int index = 0; index < ready_count; index += 1) {
      if (ready[index].data.ptr == NULL) obey();
      else hear(ready[index].data.ptr);
    }
  }
}
