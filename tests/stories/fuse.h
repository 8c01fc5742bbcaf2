/* SPDX-License-Identifier: GPL-2.0-only */
/* A FUSE file system at ./mount whose server answers INIT and then nothing. */
#ifndef STORY_FUSE_H
#define STORY_FUSE_H

#include <linux/fuse.h>
#include <sys/mount.h>

#include "story.h"

/* The server, a child; the file system is gone when the server is killed. */
static inline pid_t start_fuse_server(void)
{
	static char request[1 << 20];
	char options[99];
	pid_t server;
	int fd;

	must(mkdir("mount", 0755));
	fd = must(open("/dev/fuse", O_RDWR));
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	must(mount("story", "mount", "fuse", 0, options));
	server = fork_as("fuse-server");
	if (!server) {
		struct {
			struct fuse_out_header header;
			struct fuse_init_out init;
		} answer = { 0 };

		must(read(fd, request, sizeof(request)));
		answer.header.len = sizeof(answer);
		answer.header.unique = ((struct fuse_in_header *)request)->unique;
		answer.init.major = FUSE_KERNEL_VERSION;
		answer.init.minor = 31;
		answer.init.max_write = 65536;
		must(write(fd, &answer, sizeof(answer)));
		must(read(fd, request, sizeof(request)));
		for (;;)
			pause();
	}
	close(fd);
	return server;
}

/* Never returns while the server lives. */
static inline void look_into_fuse(void)
{
	struct stat status;

	stat("mount/file", &status);
}

/* A child that sleeps in D until the server dies. */
static inline pid_t fork_into_fuse(const char *name)
{
	pid_t victim = fork_as(name);

	if (!victim) {
		look_into_fuse();
		_exit(0);
	}
	nap(0.3);
	return victim;
}

static inline void end_fuse_server(pid_t server)
{
	must(kill(server, SIGKILL));
	reap(server);
	umount2("mount", MNT_DETACH);
}

#endif
