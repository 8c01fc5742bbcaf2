// SPDX-License-Identifier: GPL-2.0-only
/*
 * Byte queues, messages, the terminal, for vm/supervise.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "supervise.h"

#define LOG_LIMIT_BYTES (16u << 20)
#define ESCAPE_KEY 0x1d		/* Ctrl-] */

const char *program_name = "vm/run";
static struct termios saved_terminal;
static int terminal_is_raw;

void terminal_restore(void)
{
	if (terminal_is_raw)
		tcsetattr(0, TCSAFLUSH, &saved_terminal);
	terminal_is_raw = 0;
}

void print_message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_name);
	vfprintf(stderr, format, args);
	fputs(terminal_is_raw ? "\r\n" : "\n", stderr);
	va_end(args);
}

void die(const char *what)
{
	print_message("%s: %s", what, strerror(errno));
	terminal_restore();
	exit(EXIT_NO_VERDICT);
}

long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

size_t buffer_used(const struct buffer *b)
{
	return b->tail - b->head;
}

void buffer_append(struct buffer *b, const void *data, size_t size)
{
	if (b->head == b->tail)
		b->head = b->tail = 0;
	if (b->tail + size > b->size) {
		if (b->head)
			memmove(b->data, b->data + b->head, buffer_used(b));
		b->tail -= b->head;
		b->head = 0;
	}
	if (b->tail + size > b->size) {
		b->size = (b->tail + size) * 2;
		b->data = realloc(b->data, b->size);
		if (!b->data)
			die("memory");
	}
	if (size)
		memcpy(b->data + b->tail, data, size);
	b->tail += size;
}

/* A log above the limit keeps its first and its last part. */
void buffer_append_log(struct buffer *b, const void *data, size_t size)
{
	if (buffer_used(b) + size > LOG_LIMIT_BYTES)
		b->tail = b->head + LOG_LIMIT_BYTES / 2;
	buffer_append(b, data, size);
}

void buffer_append_session_frame(struct buffer *b, int session, int type, const void *data,
				 size_t size)
{
	struct frame_header header = { .type = type, .session = session,
				       .length_bytes = size };

	buffer_append(b, &header, sizeof(header));
	buffer_append(b, data, size);
}

void buffer_append_frame(struct buffer *b, int type, const void *data, size_t size)
{
	buffer_append_session_frame(b, 0, type, data, size);
}

void job_add(struct options *opt, const char *key, const char *value)
{
	buffer_append(&opt->job, key, strlen(key) + 1);
	buffer_append(&opt->job, value, strlen(value) + 1);
}

/* 1 if something was read, 0 at the end or if nothing is available. */
int read_into(int *fd, struct buffer *b, int log)
{
	char data[65536];
	ssize_t n;

	if (*fd < 0)
		return 0;
	n = read(*fd, data, sizeof(data));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
		return 0;
	}
	if (log)
		buffer_append_log(b, data, n);
	else
		buffer_append(b, data, n);
	return 1;
}

void drain_socket(int fd, struct buffer *b)
{
	ssize_t n = send(fd, b->data + b->head, buffer_used(b), MSG_NOSIGNAL);

	if (n > 0)
		b->head += n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		b->head = b->tail;
}

void terminal_raw(struct options *opt)
{
	struct winsize ws = { 0 };
	struct termios raw;
	char text[16];

	if (tcgetattr(0, &saved_terminal)) {
		print_message("a terminal is needed on standard input");
		exit(EXIT_USAGE);
	}
	ioctl(0, TIOCGWINSZ, &ws);
	job_add(opt, "tty", "1");
	snprintf(text, sizeof(text), "%d", ws.ws_row);
	job_add(opt, "rows", text);
	snprintf(text, sizeof(text), "%d", ws.ws_col);
	job_add(opt, "columns", text);
	raw = saved_terminal;
	cfmakeraw(&raw);
	tcsetattr(0, TCSAFLUSH, &raw);
	terminal_is_raw = 1;
}

/* The abstract socket by which vm/attach reaches the supervise that is process pid. */
socklen_t session_address(struct sockaddr_un *address, pid_t pid)
{
	int size;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	size = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "ipcscope-vm.%d",
			pid);
	return sizeof(sa_family_t) + 1 + size;
}

void terminal_send_size(struct buffer *frames)
{
	struct winsize ws;
	struct frame_winsize win;

	if (ioctl(0, TIOCGWINSZ, &ws))
		return;
	win.rows = ws.ws_row;
	win.columns = ws.ws_col;
	buffer_append_frame(frames, FRAME_WINSIZE, &win, sizeof(win));
}

/* From the terminal to the guest. True: the escape key came three times. */
int keys_forward(struct keys *keys, struct buffer *frames)
{
	char data[4096];
	ssize_t n = read(0, data, sizeof(data));
	int escaped = 0;

	if (n <= 0)
		keys->open = 0;
	for (ssize_t i = 0; i < n; i++) {
		keys->escapes = data[i] == ESCAPE_KEY ? keys->escapes + 1 : 0;
		escaped |= keys->escapes == 3;
	}
	if (n > 0)
		buffer_append_frame(frames, FRAME_IN, data, n);
	return escaped;
}

/* A signalfd of those that end a run, of SIGWINCH, and of one more or 0. */
int block_signals(int one_more)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGWINCH);
	if (one_more)
		sigaddset(&set, one_more);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
