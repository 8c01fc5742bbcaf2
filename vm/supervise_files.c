// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directories that a guest gets by virtiofs, for vm/supervise: where its kernel has no
 * 9p that works. QEMU serves 9p itself; virtiofs takes a process for each directory,
 * virtiofsd, on a socket of QEMU's.
 *
 * The sockets are abstract ones, connected before either process starts: no file is left,
 * and no other process can be first. A virtiofsd ends when QEMU's end is closed, and by its
 * parent-death signal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise.h"

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

/* TAG=ro|rw=PATH */
int export_add(struct options *opt, char *text)
{
	struct export *export = &opt->export[opt->exports];
	char *mode = strchr(text, '=');

	if (!mode || opt->exports == MAX_EXPORTS ||
	    (strncmp(mode, "=ro=/", 5) && strncmp(mode, "=rw=/", 5)))
		return -1;
	*mode = 0;
	export->tag = text;
	export->writable = mode[2] == 'w';
	export->path = mode + 4;
	opt->exports++;
	return 0;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* A mount namespace of its own: with a user namespace where it takes one. */
static int enter_namespace(void)
{
	char map[32];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (!unshare(CLONE_NEWNS))
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -1;
	write_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	if (write_text("/proc/self/gid_map", map))
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return write_text("/proc/self/uid_map", map);
}

/* What is mounted is the guest's to read, and no request can write it. */
static int make_read_only(void)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY,
		.propagation = 1 << 18,		/* MS_PRIVATE */
	};

	return syscall(SYS_mount_setattr, -1, "/", 0x8000 /* AT_RECURSIVE */, &attr,
		       sizeof(attr));
}

__attribute__((noreturn))
static void export_exec(const char *program, const struct export *export, int listener,
			int output, pid_t parent)
{
	char fd[32], source[4200];
	const char *cache = export->writable ? "auto" : "always";
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	dup2(null, 0);
	dup2(output, 1);
	dup2(output, 2);
	if (enter_namespace() || (!export->writable && make_read_only())) {
		dprintf(2, "virtiofs: this host allows no mount namespace: %s (the guest must not write its files)\n",
			strerror(errno));
		_exit(1);
	}
	/* After what changes the credentials: that clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	snprintf(fd, sizeof(fd), "--fd=%d", listener);
	snprintf(source, sizeof(source), "source=%s,cache=%s,sandbox=chroot", export->path,
		 cache);
	fcntl(listener, F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	execl(program, program, fd, "-o", source, "-o", "log_level=err", NULL);
	dprintf(2, "cannot run %s: %s\n", program, strerror(errno));
	_exit(127);
}

/* Returns QEMU's end of the socket. */
static int export_start(const struct options *opt, const struct export *export, int output,
			pid_t *pid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(address);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t parent = getpid();

	/* Without a name, the kernel chooses an abstract one. */
	if (listener < 0 || fd < 0 ||
	    bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) ||
	    listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size) ||
	    connect(fd, (struct sockaddr *)&address, size))
		die("cannot make a channel");
	*pid = fork();
	if (*pid < 0)
		die("fork");
	if (!*pid)
		export_exec(opt->virtiofsd, export, listener, output, parent);
	close(listener);
	return fd;
}

void exports_start(struct guest *g, int output)
{
	for (int i = 0; i < g->opt->exports; i++)
		g->export[i] = export_start(g->opt, &g->opt->export[i], output,
					    &g->virtiofsd[i]);
}

void exports_end(struct guest *g)
{
	for (int i = 0; i < g->opt->exports; i++) {
		kill(g->virtiofsd[i], SIGKILL);
		waitpid(g->virtiofsd[i], NULL, 0);
	}
}
