// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shells and commands beside the command (vm/shell --attach), for the guest's first
 * process. Their output is not part of what the status counts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

#define EXIT_NOT_STARTED 125
#define EXIT_HANGUP (128 + SIGHUP)

struct session {
	pid_t pid;		/* 0: the number is free */
	int pty, out, err;	/* -1: not open */
	int paused;
	struct queue input;
};

static struct session sessions[MAX_SESSIONS];
static const struct job *command;

void sessions_init(const struct job *job)
{
	command = job;
	for (int i = 0; i < MAX_SESSIONS; i++)
		sessions[i].pty = sessions[i].out = sessions[i].err = -1;
}

static int number_of(const struct session *s)
{
	return s - sessions + 1;
}

static void session_free(struct session *s)
{
	relay_close(&s->pty);
	relay_close(&s->out);
	relay_close(&s->err);
	free(s->input.data);
	s->input = (struct queue){ 0 };
	s->pid = 0;
	s->paused = 0;
}

static void session_exit(struct session *s, uint32_t status)
{
	port_send_to(number_of(s), FRAME_EXIT, &status, sizeof(status));
	session_free(s);
}

/* 1 if something was read. */
static int session_read(struct session *s, int *fd, int type)
{
	static char data[65536];
	ssize_t n = *fd < 0 ? -1 : read(*fd, data, sizeof(data));

	if (n > 0)
		port_send_to(number_of(s), type, data, n);
	else if (*fd >= 0 && !(n < 0 && (errno == EAGAIN || errno == EINTR || errno == EIO)))
		relay_close(fd);
	return n > 0;
}

static int has_variable(const struct list *env, const char *entry)
{
	size_t name = strcspn(entry, "=") + 1;

	for (int i = 0; i < env->count; i++)
		if (!strncmp(env->item[i], entry, name))
			return 1;
	return 0;
}

/* The command's variables, but for those that the session has of its own. */
static void inherit_environment(struct job *job)
{
	for (int i = 0; i < command->env.count && job->env.count < MAX_LIST - 1; i++)
		if (!has_variable(&job->env, command->env.item[i]))
			job->env.item[job->env.count++] = command->env.item[i];
}

static void session_start(struct session *s, const char *data, size_t size)
{
	struct job *job = calloc(1, sizeof(*job));
	char *text = calloc(1, size + 1);
	const char *error = "out of memory";
	pid_t pid = -1;

	if (job && text) {
		memcpy(text, data, size);
		error = job_parse(job, text, size);
	}
	if (!error) {
		job->cwd = command->cwd;
		inherit_environment(job);
		pid = job_start(job, &s->pty, &s->out, &s->err);
		if (pid < 0)
			error = strerror(errno);
	}
	free(job);
	free(text);
	if (pid > 0) {
		s->pid = pid;
		return;
	}
	port_send_to(number_of(s), FRAME_ERR, error, strlen(error));
	port_send_to(number_of(s), FRAME_ERR, "\n", 1);
	session_exit(s, EXIT_NOT_STARTED);
}

static void session_winsize(const struct session *s, const char *data, size_t size)
{
	struct frame_winsize win;
	struct winsize ws = { 0 };

	if (s->pty < 0 || size != sizeof(win))
		return;
	memcpy(&win, data, sizeof(win));
	ws.ws_row = win.rows;
	ws.ws_col = win.columns;
	ioctl(s->pty, TIOCSWINSZ, &ws);
}

static void hang_up_processes(pid_t leader)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 0 && getsid(pid) == leader) {
			kill(pid, SIGHUP);
			kill(pid, SIGCONT);
		}
	}
	if (proc)
		closedir(proc);
}

/*
 * The kernel hangs up the leader and the foreground of a terminal whose last descriptor is
 * closed. The jobs in the background are left to the shell, which may have read the end of its
 * input before and exits without them.
 */
static void session_hang_up(struct session *s)
{
	hang_up_processes(s->pid);
	session_exit(s, EXIT_HANGUP);
}

void session_frame(int number, int type, const char *data, size_t size)
{
	struct session *s = &sessions[number - 1];

	if (number > MAX_SESSIONS)
		return;
	if (type == FRAME_JOB) {
		if (!s->pid)
			session_start(s, data, size);
		return;
	}
	if (!s->pid)
		return;		/* it has ended, and the host does not know yet */
	switch (type) {
	case FRAME_IN:
		if (s->pty >= 0)
			queue_put(&s->input, data, size);
		break;
	case FRAME_WINSIZE:
		session_winsize(s, data, size);
		break;
	case FRAME_PAUSE:
	case FRAME_RESUME:
		s->paused = type == FRAME_PAUSE;
		break;
	case FRAME_CLOSE:
		session_hang_up(s);
		break;
	}
}

/* Its output of now is sent, not what processes in the background may add. */
void session_reaped(pid_t pid, int status)
{
	for (struct session *s = sessions; s < sessions + MAX_SESSIONS; s++) {
		if (s->pid != pid)
			continue;
		for (int i = 0; i < 64 && (session_read(s, &s->pty, FRAME_OUT) |
					   session_read(s, &s->out, FRAME_OUT) |
					   session_read(s, &s->err, FRAME_ERR)); i++)
			;
		session_exit(s, status);
	}
}

/* Two entries for each session. */
void sessions_poll(struct pollfd *p, int room)
{
	for (struct session *s = sessions; s < sessions + MAX_SESSIONS; s++, p += 2) {
		int read = room && !s->paused ? POLLIN : 0;
		int write = queued(&s->input) ? POLLOUT : 0;

		p[0] = (struct pollfd){ s->pty >= 0 ? s->pty : read ? s->out : -1,
					read | write, 0 };
		p[1] = (struct pollfd){ read ? s->err : -1, read, 0 };
	}
}

void sessions_step(const struct pollfd *p)
{
	for (struct session *s = sessions; s < sessions + MAX_SESSIONS; s++, p += 2) {
		if (p[0].revents & POLLOUT) {
			ssize_t n = write(s->pty, s->input.data + s->input.head,
					  queued(&s->input));

			if (n > 0)
				s->input.head += n;
		}
		if (p[0].revents & POLLIN)
			session_read(s, s->pty >= 0 ? &s->pty : &s->out, FRAME_OUT);
		else if (p[0].revents & POLLHUP && s->pty >= 0)
			sleep_ms(10);	/* no process has the terminal open */
		else if (p[0].revents & POLLHUP)
			relay_close(&s->out);
		if (p[1].revents)
			session_read(s, &s->err, FRAME_ERR);
	}
}

void sessions_end(void)
{
	for (struct session *s = sessions; s < sessions + MAX_SESSIONS; s++)
		if (s->pid)
			session_free(s);
}
