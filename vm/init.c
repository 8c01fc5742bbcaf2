// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of an ipcscope guest. See the diagram in vm/run.
 *
 * It loads the modules that the initramfs carries, mounts the host's root
 * read-only under an overlay, receives a job from the host over a virtio-serial
 * port, runs it, and reports the status. There is no shell, no udev and no
 * service manager: each of them costs seconds in emulation.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

static void list_add(struct list *list, char *item)
{
	if (list->count >= MAX_LIST - 1)
		fatal("too many arguments or variables");
	list->item[list->count++] = item;
}

static void job_field(struct job *job, const char *key, char *value)
{
	if (!strcmp(key, "arg"))
		list_add(&job->argv, value);
	else if (!strcmp(key, "env"))
		list_add(&job->env, value);
	else if (!strcmp(key, "share"))
		list_add(&job->share, value);
	else if (!strcmp(key, "keep"))
		list_add(&job->keep, value);
	else if (!strcmp(key, "cwd"))
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
		fatal("unknown job field '%s'", key);
}

static void job_receive(struct job *job)
{
	int type;
	size_t size;
	char *p, *end;

	job->text = port_receive(&type, &size, 30000);
	if (!job->text || type != FRAME_JOB)
		fatal("no job from the host");
	for (p = job->text, end = p + size; p < end; ) {
		char *key = p, *value = p + strlen(p) + 1;

		if (value >= end)
			fatal("the job is cut short");
		job_field(job, key, value);
		p = value + strlen(value) + 1;
	}
	if (!job->argv.count || !job->cwd)
		fatal("the job names no command or directory");
}

static int open_pty(char *name, size_t size, const struct frame_winsize *win)
{
	struct winsize ws = { .ws_row = win->rows, .ws_col = win->columns };
	int number, zero = 0;
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, TIOCSPTLCK, &zero) || ioctl(fd, TIOCGPTN, &number))
		fatal("cannot make a terminal: %s", strerror(errno));
	snprintf(name, size, "/dev/pts/%d", number);
	ioctl(fd, TIOCSWINSZ, &ws);
	return fd;
}

__attribute__((noreturn))
static void run_child(struct job *job, const char *pty, int out, int err)
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
	environ = job->env.item;
	if (chdir(job->cwd)) {
		dprintf(2, "vm/init: cannot enter %s: %s\n", job->cwd,
			strerror(errno));
		_exit(127);
	}
	execvp(job->argv.item[0], job->argv.item);
	dprintf(2, "vm/init: cannot run %s: %s\n", job->argv.item[0],
		strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Reaps children; 1 once the command itself has ended. */
static int reap(pid_t command, int *status)
{
	int found = 0, st;
	pid_t pid;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0)
		if (pid == command) {
			*status = shell_status(st);
			found = 1;
		}
	return found;
}

/* A task in uninterruptible sleep does not exit: wait at most a second. */
static void kill_remaining(void)
{
	long long end = now_ms() + 1000;

	kill(-1, SIGKILL);
	while (now_ms() < end) {
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return;
		sleep_ms(2);
	}
}

static void send_status(struct relay *relay, const struct job *job, int status,
		   int share_errors)
{
	struct frame_status frame = {
		.status = status,
		.share_errors = share_errors,
		.out_bytes = relay->out_bytes,
		.err_bytes = relay->err_bytes,
		.klog_lost = relay->klog_lost,
	};
	long long end = now_ms() + 600000;

	memcpy(frame.token, job->token, TOKEN_BYTES);
	port_send(FRAME_STATUS, &frame, sizeof(frame));
	/* The reader of the output may be slow; the host enforces the time limit. */
	while (!relay->acked && now_ms() < end)
		relay_step(relay, 100);
}

int run(struct job *job)
{
	struct relay relay = { -1, -1, -1, -1, -1, 0, 0, 0, { 0 }, { 0 }, 0 };
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, status = 0, share_errors;
	char name[64];
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	relay.child_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	relay.klog = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (job->tty)
		relay.pty = open_pty(name, sizeof(name), &job->winsize);
	else if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		fatal("cannot make a pipe: %s", strerror(errno));

	port_send(FRAME_START, NULL, 0);
	pid = fork();
	if (pid < 0)
		fatal("cannot fork: %s", strerror(errno));
	if (!pid)
		run_child(job, job->tty ? name : NULL, out[1], err[1]);
	if (!job->tty) {
		relay.out = out[0];
		relay.err = err[0];
		close(out[1]);
		close(err[1]);
		fcntl(relay.out, F_SETFL, O_NONBLOCK);
		fcntl(relay.err, F_SETFL, O_NONBLOCK);
	}
	for (;;) {
		struct signalfd_siginfo info;

		relay_step(&relay, 1000);
		while (read(relay.child_fd, &info, sizeof(info)) > 0)
			;
		if (reap(pid, &status))
			break;
	}
	relay_drain(&relay);
	kill_remaining();
	share_errors = unmount_shares(&job->share);
	relay_drain(&relay);
	relay_close(&relay.out);
	relay_close(&relay.err);
	relay_close(&relay.klog);
	send_status(&relay, job, status, share_errors);
	return status;
}

int main(void)
{
	static struct job job;
	struct utsname name;

	signal(SIGPIPE, SIG_IGN);
	mount_at("devtmpfs", "/dev", 0, NULL);
	mount_at("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_at("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	load_modules();
	port_open();
	uname(&name);
	port_send(FRAME_HELLO, name.release, strlen(name.release));
	port_push();
	mount_root();
	job_receive(&job);
	bind_modules(job.modules);
	switch_root();
	mount_dev();
	mount_sys();
	mount_tmp(&job.keep);
	mount_shares(&job.share);
	set_sysctls();
	set_limits();
	loopback_up();
	if (job.dump)
		load_vmcoreinfo();
	sethostname(job.hostname, strlen(job.hostname));
	power_off(run(&job) & 0x7f);
	return 0;
}
