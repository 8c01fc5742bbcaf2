// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output of the command and the kernel's log to the host, keys from it, for the guest's
 * first process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

#define QUEUE_LIMIT_BYTES (256u << 10)
#define READ_BYTES (64u << 10)

/* 1 if something was read, 0 if nothing is available, -1 at the end. */
static int relay_read(int fd, int type, uint64_t *count)
{
	static char data[READ_BYTES];
	ssize_t n = read(fd, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	port_send(type, data, n);
	*count += n;
	return 1;
}

/* /dev/kmsg gives "level,sequence,microseconds,flags;text\n KEY=value...". */
static int relay_klog(struct relay *relay)
{
	char record[8192], line[8300];
	unsigned long long us = 0;
	ssize_t n = read(relay->klog, record, sizeof(record) - 1);
	char *text;
	int size;

	if (n < 0 && errno == EPIPE) {
		relay->klog_lost++;
		return 1;
	}
	if (n <= 0)
		return 0;
	record[n] = 0;
	text = strchr(record, ';');
	if (!text)
		return 1;
	sscanf(record, "%*[^,],%*[^,],%llu", &us);
	text++;
	text[strcspn(text, "\n")] = 0;
	size = snprintf(line, sizeof(line), "[%5llu.%06llu] %s\n",
			us / 1000000, us % 1000000, text);
	port_send(FRAME_KLOG, line, size);
	return 1;
}

void relay_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void host_frame(struct relay *relay, int type, const char *data, size_t size)
{
	if (type == FRAME_ACK) {
		relay->acked = 1;
	} else if (type == FRAME_STACKS) {
		write_file("/proc/sysrq-trigger", "w");	/* blocked tasks */
		write_file("/proc/sysrq-trigger", "l");	/* processors */
		write_file("/proc/sysrq-trigger", "t");	/* all tasks */
		port_send(FRAME_STACKS, NULL, 0);
	} else if (type == FRAME_IN && relay->pty >= 0) {
		queue_put(&relay->input, data, size);
	} else if (type == FRAME_WINSIZE && relay->pty >= 0 &&
		   size == sizeof(struct frame_winsize)) {
		struct frame_winsize win;
		struct winsize ws = { 0 };

		memcpy(&win, data, sizeof(win));
		ws.ws_row = win.rows;
		ws.ws_col = win.columns;
		ioctl(relay->pty, TIOCSWINSZ, &ws);
	}
}

static void relay_host(struct relay *relay)
{
	struct queue *q = &relay->partial;
	struct frame_header header;
	char data[4096];
	const char *data_at;
	ssize_t n = read(port, data, sizeof(data));

	if (n <= 0)
		return;
	queue_put(q, data, n);
	while (queued(q) >= sizeof(header)) {
		memcpy(&header, q->data + q->head, sizeof(header));
		if (header.length_bytes > FRAME_MAX_BYTES)
			fatal("the host sent a frame that is too long");
		if (queued(q) < sizeof(header) + header.length_bytes)
			return;
		data_at = q->data + q->head + sizeof(header);
		if (header.session)
			session_frame(header.session, header.type, data_at,
				      header.length_bytes);
		else
			host_frame(relay, header.type, data_at, header.length_bytes);
		q->head += sizeof(header) + header.length_bytes;
	}
}

static void relay_input(struct relay *relay)
{
	struct queue *q = &relay->input;
	ssize_t n = write(relay->pty, q->data + q->head, queued(q));

	if (n > 0)
		q->head += n;
}

void relay_step(struct relay *relay, int wait_ms)
{
	int room = queued(&out_queue) < QUEUE_LIMIT_BYTES;
	struct pollfd p[6 + 2 * MAX_SESSIONS] = {
		{ port, POLLIN | (queued(&out_queue) ? POLLOUT : 0), 0 },
		{ room ? relay->out : -1, POLLIN, 0 },
		{ room ? relay->err : -1, POLLIN, 0 },
		{ relay->pty, (room ? POLLIN : 0) |
			(queued(&relay->input) ? POLLOUT : 0), 0 },
		{ room ? relay->klog : -1, POLLIN, 0 },
		{ relay->child_fd, POLLIN, 0 },
	};

	sessions_poll(p + 6, room);
	poll(p, 6 + 2 * MAX_SESSIONS, wait_ms);
	if (p[0].revents & POLLIN)
		relay_host(relay);
	else if (p[0].revents & POLLHUP)
		sleep_ms(10);
	if (p[1].revents && relay_read(relay->out, FRAME_OUT, &relay->out_bytes) < 0)
		relay_close(&relay->out);
	if (p[2].revents && relay_read(relay->err, FRAME_ERR, &relay->err_bytes) < 0)
		relay_close(&relay->err);
	if (p[3].revents & POLLOUT)
		relay_input(relay);
	if (p[3].revents & POLLIN)
		relay_read(relay->pty, FRAME_OUT, &relay->out_bytes);
	else if (p[3].revents & POLLHUP)
		sleep_ms(10);	/* no process has the terminal open */
	if (p[4].revents)
		for (int i = 0; i < 64 && relay_klog(relay); i++)
			;
	sessions_step(p + 6);
	port_push();
}

/* Reads what is in the pipes now, not what background processes may add. */
void relay_drain(struct relay *relay)
{
	long long end = now_ms() + 20000;
	int more = 1;

	while (more && now_ms() < end) {
		if (queued(&out_queue) >= QUEUE_LIMIT_BYTES) {
			port_flush(1000);
			continue;
		}
		more = 0;
		if (relay->out >= 0)
			more |= relay_read(relay->out, FRAME_OUT, &relay->out_bytes) > 0;
		if (relay->err >= 0)
			more |= relay_read(relay->err, FRAME_ERR, &relay->err_bytes) > 0;
		if (relay->pty >= 0)
			more |= relay_read(relay->pty, FRAME_OUT, &relay->out_bytes) > 0;
		if (relay->klog >= 0)
			more |= relay_klog(relay);
	}
}
