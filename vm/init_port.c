// SPDX-License-Identifier: GPL-2.0-only
/*
 * The port to the host, frames and power-off, for the guest's first process.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

int port = -1;
struct queue out_queue;
static int reporting_fatal;

void power_off(unsigned int value)
{
	if (ioperm(DEBUG_EXIT_PORT, 4, 1) == 0)
		outl(value, DEBUG_EXIT_PORT);
	/* Without the device QEMU exits with 0, which is reported as no verdict. */
	syscall(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, NULL);
	for (;;)
		pause();
}

long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

void fatal(const char *format, ...)
{
	char text[512];
	va_list args;
	int console;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	console = open("/dev/console", O_WRONLY | O_NOCTTY);
	if (console >= 0) {
		dprintf(console, "ipcscope-init: %s\n", text);
		tcdrain(console);
	}
	if (port >= 0 && !reporting_fatal) {
		reporting_fatal = 1;
		port_send(FRAME_FATAL, text, strlen(text));
		port_flush(2000);
		sleep_ms(200);
	}
	power_off(DEBUG_EXIT_FATAL);
	for (;;)
		pause();
}

size_t queued(const struct queue *q)
{
	return q->tail - q->head;
}

void queue_put(struct queue *q, const void *data, size_t size)
{
	if (q->head && q->head == q->tail)
		q->head = q->tail = 0;
	if (q->tail + size > q->size) {
		memmove(q->data, q->data + q->head, queued(q));
		q->tail -= q->head;
		q->head = 0;
		if (q->tail + size > q->size) {
			q->size = (q->tail + size) * 2;
			q->data = realloc(q->data, q->size);
			if (!q->data)
				fatal("out of memory");
		}
	}
	memcpy(q->data + q->tail, data, size);
	q->tail += size;
}

void port_send_to(int session, int type, const void *data, size_t size)
{
	struct frame_header header = { .type = type, .session = session,
				       .length_bytes = size };

	queue_put(&out_queue, &header, sizeof(header));
	if (size)
		queue_put(&out_queue, data, size);
}

void port_send(int type, const void *data, size_t size)
{
	port_send_to(0, type, data, size);
}

/* Writes as much as the host accepts now. */
void port_push(void)
{
	while (queued(&out_queue)) {
		size_t size = queued(&out_queue);
		ssize_t n;

		/* The driver copies at most 32 KiB for each call anyway. */
		if (size > 32768)
			size = 32768;
		n = write(port, out_queue.data + out_queue.head, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		out_queue.head += n;
	}
}

/* Writes everything; 0 if that took at most wait_ms. */
int port_flush(int wait_ms)
{
	long long end = now_ms() + wait_ms;

	for (;;) {
		struct pollfd pfd = { port, POLLOUT, 0 };

		port_push();
		if (!queued(&out_queue))
			return 0;
		if (now_ms() >= end)
			return -1;
		poll(&pfd, 1, 50);
		if (pfd.revents & POLLHUP)
			sleep_ms(10);
	}
}

/* Waits for one frame and reads it. The caller frees the text. */
char *port_receive(int *type, size_t *size, int wait_ms)
{
	struct frame_header header;
	long long end = now_ms() + wait_ms;
	size_t got = 0, want = sizeof(header);
	char *body = NULL;

	for (;;) {
		char *to = body ? body : (char *)&header;
		struct pollfd pfd = { port, POLLIN, 0 };
		ssize_t n;

		if (got == want && !body) {
			if (header.length_bytes > FRAME_MAX_BYTES)
				fatal("the host sent a frame that is too long");
			body = calloc(1, header.length_bytes + 1);
			if (!body)
				fatal("out of memory");
			got = 0;
			want = header.length_bytes;
			continue;
		}
		if (got == want)
			break;
		if (now_ms() >= end) {
			free(body);
			return NULL;
		}
		poll(&pfd, 1, 50);
		if (!(pfd.revents & POLLIN)) {
			if (pfd.revents)
				sleep_ms(2);
			continue;
		}
		n = read(port, to + got, want - got);
		if (n > 0)
			got += n;
		else
			sleep_ms(2);
	}
	*type = header.type;
	*size = want;
	return body;
}

static int port_find(void)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	char path[320], name[64];
	int fd = -1;

	if (!dir)
		return -1;
	while (fd < 0 && (entry = readdir(dir))) {
		ssize_t n;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name",
			 entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, name, sizeof(name) - 1);
		close(fd);
		fd = -1;
		if (n <= 0)
			continue;
		name[n] = 0;
		name[strcspn(name, "\n")] = 0;
		if (strcmp(name, PORT_NAME))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	closedir(dir);
	return fd;
}

void port_open(void)
{
	long long end = now_ms() + 10000;

	while ((port = port_find()) < 0) {
		if (now_ms() > end)
			fatal("no virtio-serial port: this kernel lacks virtio_pci or virtio_console, built in or as a module beside it");
		sleep_ms(2);
	}
}
