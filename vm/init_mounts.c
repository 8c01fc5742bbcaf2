// SPDX-License-Identifier: GPL-2.0-only
/*
 * File systems, sysctls and limits, for the guest's first process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init.h"

static void make_parents(const char *path)
{
	char copy[4096];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		mkdir(copy, 0755);
		*p = '/';
	}
}

void make_directory(const char *path)
{
	make_parents(path);
	mkdir(path, 0755);
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		{ /* the kernel lacks this setting */ }
	close(fd);
}

static int first_number(const char *path)
{
	FILE *file = fopen(path, "re");
	int number = 0;

	if (file && fscanf(file, "%d", &number) != 1)
		number = 0;
	if (file)
		fclose(file);
	return number;
}

int mount_at(const char *type, const char *path, unsigned long flags,
		    const char *options)
{
	make_directory(path);
	return mount(type, path, type, flags, options);
}

/* vm/run's word on the kernel's command line, of which the kernel makes a variable. */
static int by_virtiofs(void)
{
	const char *files = getenv("IPCSCOPE_FILES");

	return files && !strcmp(files, "virtiofs");
}

static int mount_files(const char *tag, const char *path, int writable)
{
	char options[160];

	make_directory(path);
	if (by_virtiofs())
		return mount(tag, path, "virtiofs", writable ? 0 : MS_RDONLY, NULL);

	/*
	 * The host's root is assumed not to change during a test: cache it.
	 * A share carries results to the host: no write may stay in the guest.
	 */
	snprintf(options, sizeof(options),
		 "trans=virtio,version=9p2000.L,msize=512000,access=any,cache=%s",
		 writable ? "mmap" : "loose");
	return mount(tag, path, "9p",
		     writable ? 0 : MS_RDONLY, options);
}

void mount_root(void)
{
	if (mount_files("root", "/ro", 0)) {
		if (by_virtiofs())
			fatal("cannot mount the host's root by virtiofs%s: %s",
			      errno == ENODEV ? " (this kernel has no VIRTIO_FS: build it in, or name its built tree)" : "",
			      strerror(errno));
		if (errno == ENODEV)
			fatal("this kernel has no 9p: build 9P_FS, NET_9P and NET_9P_VIRTIO in, or name its built tree");
		fatal("cannot mount the host's root over 9p: %s", strerror(errno));
	}
	mount_at("tmpfs", "/rw", 0, "mode=0755,size=80%");
	make_directory("/rw/upper");
	make_directory("/rw/work");
	make_directory("/new");
	if (mount("overlay", "/new", "overlay", 0,
		  "lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work"))
		fatal("cannot mount the overlay%s: %s",
		      errno == ENODEV ? " (this kernel has no overlay file system)" : "",
		      strerror(errno));
}

void switch_root(void)
{
	mount("/dev", "/new/dev", NULL, MS_MOVE, NULL);
	mount("/proc", "/new/proc", NULL, MS_MOVE, NULL);
	mount("/sys", "/new/sys", NULL, MS_MOVE, NULL);
	if (chdir("/new") || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		fatal("cannot enter the root: %s", strerror(errno));
}

void mount_dev(void)
{
	mount_at("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
		 "mode=0620,gid=5,ptmxmode=0666");
	mount_at("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_at("mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	(void)!symlink("/proc/self/fd", "/dev/fd");
	(void)!symlink("/proc/self/fd/0", "/dev/stdin");
	(void)!symlink("/proc/self/fd/1", "/dev/stdout");
	(void)!symlink("/proc/self/fd/2", "/dev/stderr");
	/* Opening these device nodes loads their modules, as with udev. */
	mknod("/dev/loop-control", S_IFCHR | 0660, makedev(10, 237));
	mknod("/dev/fuse", S_IFCHR | 0666, makedev(10, 229));
}

void mount_sys(void)
{
	/*
	 * bpffs requests the module bpf_preload when it is mounted, and Debian
	 * does not build it: a useless modprobe of 0.3 to 0.7 s.
	 */
	write_file("/proc/sys/kernel/modprobe", "\n");
	mount_at("debugfs", "/sys/kernel/debug", 0, NULL);
	mount_at("tracefs", "/sys/kernel/tracing", 0, NULL);
	mount_at("bpf", "/sys/fs/bpf", 0, "mode=0700");
	mount_at("securityfs", "/sys/kernel/security", 0, NULL);
	mount_at("cgroup2", "/sys/fs/cgroup", 0, NULL);
	write_file("/proc/sys/kernel/modprobe", "/sbin/modprobe");
}

static int is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return !strncmp(path, top, n) && (path[n] == '/' || !path[n]);
}

/*
 * /tmp and /run are tmpfs in the guest, but a checkout or a share may lie there:
 * open it before the mount and bind it after.
 */
void mount_tmp(const struct list *keep)
{
	int fd[MAX_LIST];

	for (int i = 0; i < keep->count; i++)
		fd[i] = open(keep->item[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
	mount_at("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_at("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755");
	mkdir("/run/lock", 01777);
	for (int i = 0; i < keep->count; i++) {
		char from[64];

		if (fd[i] < 0)
			continue;
		snprintf(from, sizeof(from), "/proc/self/fd/%d", fd[i]);
		if (is_below(keep->item[i], "/tmp") ||
		    is_below(keep->item[i], "/run")) {
			make_directory(keep->item[i]);
			if (mount(from, keep->item[i], NULL, MS_BIND, NULL))
				fatal("cannot keep %s: %s", keep->item[i],
				      strerror(errno));
		}
		close(fd[i]);
	}
}

void mount_shares(const struct list *shares)
{
	for (int i = 0; i < shares->count; i++) {
		char tag[32];

		snprintf(tag, sizeof(tag), "share%d", i);
		if (mount_files(tag, shares->item[i], 1))
			fatal("cannot mount the share %s: %s", shares->item[i],
			      strerror(errno));
	}
}

/* All data must have reached the host before the status is sent. */
int unmount_shares(const struct list *shares)
{
	int errors = 0;

	if (chdir("/"))
		errors++;
	for (int i = shares->count - 1; i >= 0; i--) {
		int fd = open(shares->item[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 || syncfs(fd))
			errors++;
		if (fd >= 0)
			close(fd);
		if (umount2(shares->item[i], 0))
			umount2(shares->item[i], MNT_DETACH);
	}
	return errors;
}

void set_sysctls(void)
{
	static const char *const sysctls[][2] = {
		{ "/proc/sys/kernel/kptr_restrict", "0" },
		{ "/proc/sys/kernel/perf_event_paranoid", "-1" },
		{ "/proc/sys/kernel/hung_task_timeout_secs", "600" },
		{ "/proc/sys/kernel/sysrq", "1" },
		{ "/proc/sys/kernel/core_pattern", "core" },
		{ "/proc/sys/kernel/printk_devkmsg", "on" },
	};

	for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++)
		write_file(sysctls[i][0], sysctls[i][1]);
	/* Warnings too, unless it is more: after a crash only the console shows them. */
	if (first_number("/proc/sys/kernel/printk") < 5)
		write_file("/proc/sys/kernel/printk", "5");
}

void set_limits(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit files = { 1024, 524288 };

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	setrlimit(RLIMIT_NOFILE, &files);
}

void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
		request.ifr_flags |= IFF_UP | IFF_RUNNING;
		ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
}
