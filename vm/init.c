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
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

static void job_receive(struct job *job)
{
	int type;
	size_t size;
	const char *error;

	job->text = port_receive(&type, &size, 30000);
	if (!job->text || type != FRAME_JOB)
		fatal("no job from the host");
	error = job_parse(job, job->text, size);
	if (error)
		fatal("the job of the host: %s", error);
	if (!job->cwd)
		fatal("the job names no directory");
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

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		if (pid == command) {
			*status = shell_status(st);
			found = 1;
		} else {
			session_reaped(pid, shell_status(st));
		}
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
	int status = 0, share_errors;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	relay.child_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	relay.klog = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	sessions_init(job);
	port_send(FRAME_START, NULL, 0);
	pid = job_start(job, &relay.pty, &relay.out, &relay.err);
	if (pid < 0)
		fatal("cannot start the command: %s", strerror(errno));
	for (;;) {
		struct signalfd_siginfo info;

		relay_step(&relay, 1000);
		while (read(relay.child_fd, &info, sizeof(info)) > 0)
			;
		if (reap(pid, &status))
			break;
	}
	relay_drain(&relay);
	sessions_end();
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
