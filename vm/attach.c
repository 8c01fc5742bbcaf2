// SPDX-License-Identifier: GPL-2.0-only
/*
 * A shell or command in a running guest, beside its own command, for vm/shell --attach.
 *
 *   attach PID COMMAND ARGS...
 *
 * PID is that of vm/run (vm/supervise, which it becomes). Where standard input and output
 * are terminals, the command has one, too; else its standard input is /dev/null. Exit: the
 * command's status, or 2 usage, 125 no such guest, or it ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "supervise.h"

#define INPUT_LIMIT_BYTES 65536

struct client {
	int socket, signals;
	int tty;
	struct keys keys;
	int status;		/* -1 while there is none */
	struct buffer in, out;	/* frames */
};

/* What listens under that name must be this process of this user. */
static int is_ours(int fd, pid_t pid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.pid == pid &&
	       (peer.uid == geteuid() || geteuid() == 0);
}

static int reach(const char *text)
{
	struct sockaddr_un address;
	pid_t pid = atoi(text);
	socklen_t size = session_address(&address, pid);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&address, size) || !is_ours(fd, pid)) {
		print_message("process %s runs no guest of yours", text);
		exit(EXIT_NO_VERDICT);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void add_variable(struct options *opt, const char *name)
{
	const char *value = getenv(name);
	char *entry;

	if (!value || asprintf(&entry, "%s=%s", name, value) < 0)
		return;
	job_add(opt, "env", entry);
	free(entry);
}

static void handle_signals(struct client *c)
{
	struct signalfd_siginfo info;

	while (read(c->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			terminal_send_size(&c->out);
		else
			c->status = 128 + info.ssi_signo;
	}
}

static void write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			data += n;
			size -= n;
		}
	}
}

static void handle_frame(struct client *c, int type, const char *data, size_t size)
{
	uint32_t status;

	if (type == FRAME_OUT) {
		write_all(1, data, size);
	} else if (type == FRAME_ERR) {
		write_all(2, data, size);
	} else if (type == FRAME_EXIT && size == sizeof(status)) {
		memcpy(&status, data, size);
		c->status = status & 0xff;
	}
}

static void read_frames(struct client *c)
{
	struct frame_header header;

	read_into(&c->socket, &c->in, 0);
	while (buffer_used(&c->in) >= sizeof(header)) {
		memcpy(&header, c->in.data + c->in.head, sizeof(header));
		if (header.length_bytes > FRAME_MAX_BYTES)
			c->status = EXIT_NO_VERDICT;
		if (buffer_used(&c->in) < sizeof(header) + header.length_bytes)
			break;
		handle_frame(c, header.type, c->in.data + c->in.head + sizeof(header),
			     header.length_bytes);
		c->in.head += sizeof(header) + header.length_bytes;
	}
}

static int run(struct client *c)
{
	while (c->status < 0 && c->socket >= 0) {
		int room = buffer_used(&c->out) < INPUT_LIMIT_BYTES;
		struct pollfd p[] = {
			{ c->socket, POLLIN | (buffer_used(&c->out) ? POLLOUT : 0), 0 },
			{ c->signals, POLLIN, 0 },
			{ c->keys.open && room ? 0 : -1, POLLIN, 0 },
		};

		poll(p, 3, -1);
		if (p[1].revents)
			handle_signals(c);
		if (p[2].revents && keys_forward(&c->keys, &c->out))
			c->status = 128 + SIGINT;
		if (p[0].revents & POLLOUT)
			drain_socket(c->socket, &c->out);
		if (p[0].revents & (POLLIN | POLLHUP))
			read_frames(c);
	}
	terminal_restore();
	if (c->status >= 0)
		return c->status;
	print_message("the guest has ended, or takes no more shells (%d at once)", MAX_SESSIONS);
	return EXIT_NO_VERDICT;
}

int main(int argc, char **argv)
{
	static struct options opt;
	struct client c = { .signals = -1, .status = -1 };

	program_name = "vm/shell";
	if (argc < 3) {
		print_message("usage: attach PID COMMAND ARGS...");
		return EXIT_USAGE;
	}
	c.socket = reach(argv[1]);
	c.tty = c.keys.open = isatty(0) && isatty(1);
	for (char **arg = argv + 2; *arg; arg++)
		job_add(&opt, "arg", *arg);
	if (c.tty) {
		add_variable(&opt, "TERM");
		add_variable(&opt, "PS1");
		/* Without one a signal ends this process, and the guest sees that. */
		c.signals = block_signals(0);
		terminal_raw(&opt);
	}
	buffer_append_frame(&c.out, FRAME_JOB, opt.job.data, buffer_used(&opt.job));
	return run(&c);
}
