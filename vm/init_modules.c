// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel modules, for the guest's first process: those of the initramfs, and where the
 * guest finds the others.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void load_modules(void)
{
	static struct list names;
	DIR *dir = opendir("/m");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) && names.count < MAX_LIST)
		if (entry->d_name[0] != '.')
			names.item[names.count++] = strdup(entry->d_name);
	closedir(dir);
	qsort(names.item, names.count, sizeof(names.item[0]), compare);
	for (int i = 0; i < names.count; i++) {
		char path[320];
		int fd;

		snprintf(path, sizeof(path), "/m/%s", names.item[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
			fatal("cannot load %s: %s", names.item[i], strerror(errno));
		close(fd);
		unlink(path);
	}
}

void bind_modules(const char *modules)
{
	struct utsname name;
	char from[4096], to[512];

	if (!modules || !*modules)
		return;
	uname(&name);
	snprintf(from, sizeof(from), "/ro%s", modules);
	snprintf(to, sizeof(to), "/new/lib/modules/%s", name.release);
	make_directory(to);
	if (mount(from, to, NULL, MS_BIND, NULL))
		fatal("cannot bind %s: %s", modules, strerror(errno));
}

/* Gives QEMU what crash and drgn need to read a dump, where that is no part of the kernel. */
void load_vmcoreinfo(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/sbin/modprobe", "modprobe", "-q", "qemu_fw_cfg", NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}
