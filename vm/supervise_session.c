// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shells and commands that vm/attach adds to a running guest, for vm/supervise.
 *
 * The way in is an abstract Unix socket that has this process's number in its name: no file
 * is left, however the run ends. It lets in this user and root (SO_PEERCRED).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervise.h"

#define PAUSE_BYTES (256u << 10)	/* a reader so far behind stops only its own session */
#define RESUME_BYTES (64u << 10)

/* -1 where it cannot be made: the guest runs without it. */
int sessions_listen(void)
{
	struct sockaddr_un address;
	socklen_t size = session_address(&address, getpid());
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, size) && !listen(fd, 8))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int number_of(const struct guest *g, const struct session *s)
{
	return s - g->session + 1;
}

static void to_guest(struct guest *g, const struct session *s, int type, const void *data,
		     size_t size)
{
	buffer_append_session_frame(&g->to_port, number_of(g, s), type, data, size);
}

static void session_free(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->in.data);
	free(s->out.data);
	*s = (struct session){ .fd = -1 };
}

/* Its number stays in use until the guest has said that it has ended. */
static void session_disconnect(struct guest *g, struct session *s)
{
	int running = s->started && !s->ended;

	if (running)
		to_guest(g, s, FRAME_CLOSE, NULL, 0);
	session_free(s);
	s->used = s->started = running;
}

static void session_accept(struct guest *g)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	struct session *s = g->session;
	int fd = accept4(g->opt->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	while (s < g->session + MAX_SESSIONS && s->used)
		s++;
	if (s == g->session + MAX_SESSIONS ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ||
	    (peer.uid != geteuid() && peer.uid != 0)) {
		close(fd);
		return;
	}
	*s = (struct session){ .fd = fd, .used = 1 };
}

static int is_allowed(const struct session *s, int type)
{
	return type == FRAME_JOB ? !s->started :
	       s->started && (type == FRAME_IN || type == FRAME_WINSIZE);
}

static void session_read(struct guest *g, struct session *s)
{
	struct frame_header header;

	read_into(&s->fd, &s->in, 0);
	while (s->fd >= 0 && buffer_used(&s->in) >= sizeof(header)) {
		const char *at = s->in.data + s->in.head;

		memcpy(&header, at, sizeof(header));
		if (header.length_bytes > FRAME_MAX_BYTES || !is_allowed(s, header.type)) {
			session_disconnect(g, s);
			return;
		}
		if (buffer_used(&s->in) < sizeof(header) + header.length_bytes)
			return;
		to_guest(g, s, header.type, at + sizeof(header), header.length_bytes);
		s->started = 1;
		s->in.head += sizeof(header) + header.length_bytes;
	}
	if (s->fd < 0)
		session_disconnect(g, s);
}

static void session_write(struct guest *g, struct session *s)
{
	drain_socket(s->fd, &s->out);
	if (s->ended && !buffer_used(&s->out)) {
		session_free(s);
	} else if (s->paused && buffer_used(&s->out) < RESUME_BYTES) {
		s->paused = 0;
		to_guest(g, s, FRAME_RESUME, NULL, 0);
	}
}

/* What the guest sends. */
void session_frame(struct guest *g, int number, int type, const void *data, size_t size)
{
	struct session *s = &g->session[number - 1];

	if (number > MAX_SESSIONS || !s->used)
		return;
	if (s->fd >= 0)
		buffer_append_frame(&s->out, type, data, size);
	if (type == FRAME_EXIT) {
		s->ended = 1;
		if (s->fd < 0)
			session_free(s);
	} else if (!s->paused && buffer_used(&s->out) > PAUSE_BYTES) {
		s->paused = 1;
		to_guest(g, s, FRAME_PAUSE, NULL, 0);
	}
}

/* One entry for each session, and one for the listener. */
void sessions_poll(const struct guest *g, struct pollfd *p, int room)
{
	int open = g->running && !g->have_status;

	for (int i = 0; i < MAX_SESSIONS; i++) {
		const struct session *s = &g->session[i];

		p[i] = (struct pollfd){ s->used ? s->fd : -1,
			(room && !s->ended ? POLLIN : 0) |
			(buffer_used(&s->out) ? POLLOUT : 0), 0 };
	}
	p[MAX_SESSIONS] = (struct pollfd){ open ? g->opt->listener : -1, POLLIN, 0 };
}

void sessions_step(struct guest *g, const struct pollfd *p)
{
	for (int i = 0; i < MAX_SESSIONS; i++) {
		struct session *s = &g->session[i];

		if (p[i].revents & POLLOUT)
			session_write(g, s);
		if (s->fd >= 0 && p[i].revents & (POLLHUP | POLLERR))
			session_disconnect(g, s);
		else if (s->fd >= 0 && p[i].revents & POLLIN)
			session_read(g, s);
	}
	if (p[MAX_SESSIONS].revents)
		session_accept(g);
}

void sessions_start(struct guest *g)
{
	for (int i = 0; i < MAX_SESSIONS; i++)
		g->session[i].fd = -1;
}

/* Their users read the rest, and then the end. */
void sessions_end(struct guest *g)
{
	for (int i = 0; i < MAX_SESSIONS; i++) {
		if (g->session[i].fd >= 0)
			drain_socket(g->session[i].fd, &g->session[i].out);
		session_free(&g->session[i]);
	}
}
