// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host wants run, and its process, for the guest's first process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

static int list_add(struct list *list, char *item)
{
	if (list->count >= MAX_LIST - 1)
		return -1;
	list->item[list->count++] = item;
	return 0;
}

static int job_field(struct job *job, const char *key, char *value)
{
	if (!strcmp(key, "arg"))
		return list_add(&job->argv, value);
	if (!strcmp(key, "env"))
		return list_add(&job->env, value);
	if (!strcmp(key, "share"))
		return list_add(&job->share, value);
	if (!strcmp(key, "keep"))
		return list_add(&job->keep, value);
	if (!strcmp(key, "cwd"))
		job->cwd = value;
	else if (!strcmp(key, "modules"))
		job->modules = value;
	else if (!strcmp(key, "hostname"))
		job->hostname = value;
	else if (!strcmp(key, "token"))
		memcpy(job->token, value, strnlen(value, TOKEN_BYTES));
	else if (!strcmp(key, "tty"))
		job->tty = 1;
	else if (!strcmp(key, "dump"))
		job->dump = 1;
	else if (!strcmp(key, "rows"))
		job->winsize.rows = atoi(value);
	else if (!strcmp(key, "columns"))
		job->winsize.columns = atoi(value);
	else
		return -1;
	return 0;
}

/* Key NUL value NUL, repeated, in text, which a NUL follows. Returns what is wrong with it. */
const char *job_parse(struct job *job, char *text, size_t size)
{
	char *end = text + size;

	for (char *p = text; p < end; ) {
		char *key = p, *value = p + strlen(p) + 1;

		if (value >= end)
			return "it is cut short";
		if (job_field(job, key, value))
			return "an unknown field, or too many arguments or variables";
		p = value + strlen(value) + 1;
	}
	return job->argv.count ? NULL : "it names no command";
}

static int open_pty(char *name, size_t size, const struct frame_winsize *win)
{
	struct winsize ws = { .ws_row = win->rows, .ws_col = win->columns };
	int number, zero = 0;
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	if (ioctl(fd, TIOCSPTLCK, &zero) || ioctl(fd, TIOCGPTN, &number)) {
		close(fd);
		return -1;
	}
	snprintf(name, size, "/dev/pts/%d", number);
	ioctl(fd, TIOCSWINSZ, &ws);
	return fd;
}

__attribute__((noreturn))
static void run_child(const struct job *job, const char *pty, int out, int err)
{
	sigset_t none;
	int in;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	in = open(pty ? pty : "/dev/null", pty ? O_RDWR : O_RDONLY);
	if (pty) {
		ioctl(in, TIOCSCTTY, 0);
		out = err = in;
	}
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (in > 2)
		close(in);
	environ = (char **)job->env.item;
	if (chdir(job->cwd)) {
		dprintf(2, "vm/init: cannot enter %s: %s\n", job->cwd,
			strerror(errno));
		_exit(127);
	}
	execvp(job->argv.item[0], (char **)job->argv.item);
	dprintf(2, "vm/init: cannot run %s: %s\n", job->argv.item[0],
		strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static pid_t start_on_pty(const struct job *job, int *pty)
{
	char name[64];
	pid_t pid;

	*pty = open_pty(name, sizeof(name), &job->winsize);
	if (*pty < 0)
		return -1;
	pid = fork();
	if (!pid)
		run_child(job, name, -1, -1);
	return pid;
}

static pid_t start_on_pipes(const struct job *job, int *out, int *err)
{
	int o[2], e[2];
	pid_t pid;

	if (pipe2(o, O_CLOEXEC))
		return -1;
	*out = o[0];
	if (pipe2(e, O_CLOEXEC)) {
		close(o[1]);
		return -1;
	}
	*err = e[0];
	pid = fork();
	if (!pid)
		run_child(job, NULL, o[1], e[1]);
	close(o[1]);
	close(e[1]);
	fcntl(*out, F_SETFL, O_NONBLOCK);
	fcntl(*err, F_SETFL, O_NONBLOCK);
	return pid;
}

/* Sets either pty, or out and err, to our ends; -1 and errno if that fails. */
pid_t job_start(const struct job *job, int *pty, int *out, int *err)
{
	return job->tty ? start_on_pty(job, pty) : start_on_pipes(job, out, err);
}
