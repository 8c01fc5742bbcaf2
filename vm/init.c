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
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

#define QUEUE_LIMIT_BYTES (256u << 10)
#define READ_BYTES (64u << 10)
#define MAX_LIST 4096

struct list {
	char *item[MAX_LIST];
	int count;
};

struct job {
	char *text;
	const char *cwd;
	const char *modules;	/* host path of lib/modules/RELEASE */
	const char *hostname;
	char token[TOKEN_BYTES];
	int tty, dump;
	struct frame_winsize winsize;
	struct list argv, env, share, keep;
};

struct queue {
	char *data;
	size_t head, tail, size;
};

static int port = -1;
static struct queue out_queue;
static int reporting_fatal;

/* ---- power-off -------------------------------------------------------- */

static void power_off(unsigned int value)
{
	if (ioperm(DEBUG_EXIT_PORT, 4, 1) == 0)
		outl(value, DEBUG_EXIT_PORT);
	/* Without the device QEMU exits with 0, which is reported as no verdict. */
	syscall(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, NULL);
	for (;;)
		pause();
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static int port_flush(int wait_ms);
static void port_send(int type, const void *data, size_t size);

__attribute__((format(printf, 1, 2), noreturn))
static void fatal(const char *format, ...)
{
	char text[512];
	va_list args;
	int console;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	console = open("/dev/console", O_WRONLY | O_NOCTTY);
	if (console >= 0) {
		dprintf(console, "ipcscope-init: %s\n", text);
		tcdrain(console);
	}
	if (port >= 0 && !reporting_fatal) {
		reporting_fatal = 1;
		port_send(FRAME_FATAL, text, strlen(text));
		port_flush(2000);
		sleep_ms(200);
	}
	power_off(DEBUG_EXIT_FATAL);
	for (;;)
		pause();
}

/* ---- the port --------------------------------------------------------- */

static size_t queued(const struct queue *q)
{
	return q->tail - q->head;
}

static void queue_put(struct queue *q, const void *data, size_t size)
{
	if (q->head && q->head == q->tail)
		q->head = q->tail = 0;
	if (q->tail + size > q->size) {
		memmove(q->data, q->data + q->head, queued(q));
		q->tail -= q->head;
		q->head = 0;
		if (q->tail + size > q->size) {
			q->size = (q->tail + size) * 2;
			q->data = realloc(q->data, q->size);
			if (!q->data)
				fatal("out of memory");
		}
	}
	memcpy(q->data + q->tail, data, size);
	q->tail += size;
}

static void port_send(int type, const void *data, size_t size)
{
	struct frame_header header = { .type = type, .length_bytes = size };

	queue_put(&out_queue, &header, sizeof(header));
	if (size)
		queue_put(&out_queue, data, size);
}

/* Writes as much as the host accepts now. */
static void port_push(void)
{
	while (queued(&out_queue)) {
		size_t size = queued(&out_queue);
		ssize_t n;

		/* The driver copies at most 32 KiB for each call anyway. */
		if (size > 32768)
			size = 32768;
		n = write(port, out_queue.data + out_queue.head, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		out_queue.head += n;
	}
}

/* Writes everything; 0 if that took at most wait_ms. */
static int port_flush(int wait_ms)
{
	long long end = now_ms() + wait_ms;

	for (;;) {
		struct pollfd pfd = { port, POLLOUT, 0 };

		port_push();
		if (!queued(&out_queue))
			return 0;
		if (now_ms() >= end)
			return -1;
		poll(&pfd, 1, 50);
		if (pfd.revents & POLLHUP)
			sleep_ms(10);
	}
}

/* Waits for one frame and reads it. The caller frees the text. */
static char *port_receive(int *type, size_t *size, int wait_ms)
{
	struct frame_header header;
	long long end = now_ms() + wait_ms;
	size_t got = 0, want = sizeof(header);
	char *body = NULL;

	for (;;) {
		char *to = body ? body : (char *)&header;
		struct pollfd pfd = { port, POLLIN, 0 };
		ssize_t n;

		if (got == want && !body) {
			if (header.length_bytes > FRAME_MAX_BYTES)
				fatal("the host sent a frame that is too long");
			body = calloc(1, header.length_bytes + 1);
			if (!body)
				fatal("out of memory");
			got = 0;
			want = header.length_bytes;
			continue;
		}
		if (got == want)
			break;
		if (now_ms() >= end) {
			free(body);
			return NULL;
		}
		poll(&pfd, 1, 50);
		if (!(pfd.revents & POLLIN)) {
			if (pfd.revents)
				sleep_ms(2);
			continue;
		}
		n = read(port, to + got, want - got);
		if (n > 0)
			got += n;
		else
			sleep_ms(2);
	}
	*type = header.type;
	*size = want;
	return body;
}

static int port_find(void)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	char path[320], name[64];
	int fd = -1;

	if (!dir)
		return -1;
	while (fd < 0 && (entry = readdir(dir))) {
		ssize_t n;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name",
			 entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, name, sizeof(name) - 1);
		close(fd);
		fd = -1;
		if (n <= 0)
			continue;
		name[n] = 0;
		name[strcspn(name, "\n")] = 0;
		if (strcmp(name, PORT_NAME))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	closedir(dir);
	return fd;
}

static void port_open(void)
{
	long long end = now_ms() + 10000;

	while ((port = port_find()) < 0) {
		if (now_ms() > end)
			fatal("no virtio-serial port: this kernel lacks virtio_pci or virtio_console, built in or as a module beside it");
		sleep_ms(2);
	}
}

/* ---- files and mounts ------------------------------------------------- */

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

static void make_directory(const char *path)
{
	make_parents(path);
	mkdir(path, 0755);
}

static void write_file(const char *path, const char *text)
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

static int mount_at(const char *type, const char *path, unsigned long flags,
		    const char *options)
{
	make_directory(path);
	return mount(type, path, type, flags, options);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void load_modules(void)
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

static int mount_9p(const char *tag, const char *path, int writable)
{
	char options[160];

	/*
	 * The host's root is assumed not to change during a test: cache it.
	 * A share carries results to the host: no write may stay in the guest.
	 */
	snprintf(options, sizeof(options),
		 "trans=virtio,version=9p2000.L,msize=512000,access=any,cache=%s",
		 writable ? "mmap" : "loose");
	make_directory(path);
	return mount(tag, path, "9p",
		     writable ? 0 : MS_RDONLY, options);
}

static void mount_root(void)
{
	if (mount_9p("root", "/ro", 0)) {
		if (errno == ENODEV)
			fatal("this kernel has no 9p: build 9P_FS, NET_9P and NET_9P_VIRTIO in, or give the modules");
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

static void bind_modules(const char *modules)
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
static void load_vmcoreinfo(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/sbin/modprobe", "modprobe", "-q", "qemu_fw_cfg", NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void switch_root(void)
{
	mount("/dev", "/new/dev", NULL, MS_MOVE, NULL);
	mount("/proc", "/new/proc", NULL, MS_MOVE, NULL);
	mount("/sys", "/new/sys", NULL, MS_MOVE, NULL);
	if (chdir("/new") || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		fatal("cannot enter the root: %s", strerror(errno));
}

static void mount_dev(void)
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

static void mount_sys(void)
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
static void mount_tmp(const struct list *keep)
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

static void mount_shares(const struct list *shares)
{
	for (int i = 0; i < shares->count; i++) {
		char tag[32];

		snprintf(tag, sizeof(tag), "share%d", i);
		if (mount_9p(tag, shares->item[i], 1))
			fatal("cannot mount the share %s: %s", shares->item[i],
			      strerror(errno));
	}
}

/* All data must have reached the host before the status is sent. */
static int unmount_shares(const struct list *shares)
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

/* ---- kernel settings -------------------------------------------------- */

static void set_sysctls(void)
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

static void set_limits(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit files = { 1024, 524288 };

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	setrlimit(RLIMIT_NOFILE, &files);
}

static void loopback_up(void)
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

/* ---- the job ---------------------------------------------------------- */

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

/* ---- output of the command and the kernel ----------------------------- */

struct relay {
	int out, err, pty, klog, child_fd;
	uint64_t out_bytes, err_bytes, klog_lost;
	struct queue input;	/* for the terminal */
	struct queue partial;	/* from the host, not yet a whole frame */
	int acked;
};

/* 1 if something was read, 0 if nothing is available, -1 at the end. */
static int relay_read(int fd, int type, uint64_t *count)
{
	static char data[READ_BYTES];
	ssize_t n = read(fd, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	port_send(type, data, n);
	*count += n;
	return 1;
}

/* /dev/kmsg gives "level,sequence,microseconds,flags;text\n KEY=value...". */
static int relay_klog(struct relay *relay)
{
	char record[8192], line[8300];
	unsigned long long us = 0;
	ssize_t n = read(relay->klog, record, sizeof(record) - 1);
	char *text;
	int size;

	if (n < 0 && errno == EPIPE) {
		relay->klog_lost++;
		return 1;
	}
	if (n <= 0)
		return 0;
	record[n] = 0;
	text = strchr(record, ';');
	if (!text)
		return 1;
	sscanf(record, "%*[^,],%*[^,],%llu", &us);
	text++;
	text[strcspn(text, "\n")] = 0;
	size = snprintf(line, sizeof(line), "[%5llu.%06llu] %s\n",
			us / 1000000, us % 1000000, text);
	port_send(FRAME_KLOG, line, size);
	return 1;
}

static void relay_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void host_frame(struct relay *relay, int type, const char *data, size_t size)
{
	if (type == FRAME_ACK) {
		relay->acked = 1;
	} else if (type == FRAME_STACKS) {
		write_file("/proc/sysrq-trigger", "w");	/* blocked tasks */
		write_file("/proc/sysrq-trigger", "l");	/* processors */
		write_file("/proc/sysrq-trigger", "t");	/* all tasks */
	} else if (type == FRAME_IN && relay->pty >= 0) {
		queue_put(&relay->input, data, size);
	} else if (type == FRAME_WINSIZE && relay->pty >= 0 &&
		   size == sizeof(struct frame_winsize)) {
		struct frame_winsize win;
		struct winsize ws = { 0 };

		memcpy(&win, data, sizeof(win));
		ws.ws_row = win.rows;
		ws.ws_col = win.columns;
		ioctl(relay->pty, TIOCSWINSZ, &ws);
	}
}

static void relay_host(struct relay *relay)
{
	struct queue *q = &relay->partial;
	struct frame_header header;
	char data[4096];
	ssize_t n = read(port, data, sizeof(data));

	if (n <= 0)
		return;
	queue_put(q, data, n);
	while (queued(q) >= sizeof(header)) {
		memcpy(&header, q->data + q->head, sizeof(header));
		if (header.length_bytes > FRAME_MAX_BYTES)
			fatal("the host sent a frame that is too long");
		if (queued(q) < sizeof(header) + header.length_bytes)
			return;
		host_frame(relay, header.type, q->data + q->head + sizeof(header),
			   header.length_bytes);
		q->head += sizeof(header) + header.length_bytes;
	}
}

static void relay_input(struct relay *relay)
{
	struct queue *q = &relay->input;
	ssize_t n = write(relay->pty, q->data + q->head, queued(q));

	if (n > 0)
		q->head += n;
}

static void relay_step(struct relay *relay, int wait_ms)
{
	int room = queued(&out_queue) < QUEUE_LIMIT_BYTES;
	struct pollfd p[6] = {
		{ port, POLLIN | (queued(&out_queue) ? POLLOUT : 0), 0 },
		{ room ? relay->out : -1, POLLIN, 0 },
		{ room ? relay->err : -1, POLLIN, 0 },
		{ relay->pty, (room ? POLLIN : 0) |
			(queued(&relay->input) ? POLLOUT : 0), 0 },
		{ room ? relay->klog : -1, POLLIN, 0 },
		{ relay->child_fd, POLLIN, 0 },
	};

	poll(p, 6, wait_ms);
	if (p[0].revents & POLLIN)
		relay_host(relay);
	else if (p[0].revents & POLLHUP)
		sleep_ms(10);
	if (p[1].revents && relay_read(relay->out, FRAME_OUT, &relay->out_bytes) < 0)
		relay_close(&relay->out);
	if (p[2].revents && relay_read(relay->err, FRAME_ERR, &relay->err_bytes) < 0)
		relay_close(&relay->err);
	if (p[3].revents & POLLOUT)
		relay_input(relay);
	if (p[3].revents & POLLIN)
		relay_read(relay->pty, FRAME_OUT, &relay->out_bytes);
	else if (p[3].revents & POLLHUP)
		sleep_ms(10);	/* no process has the terminal open */
	if (p[4].revents)
		for (int i = 0; i < 64 && relay_klog(relay); i++)
			;
	port_push();
}

/* Reads what is in the pipes now, not what background processes may add. */
static void relay_drain(struct relay *relay)
{
	long long end = now_ms() + 20000;
	int more = 1;

	while (more && now_ms() < end) {
		if (queued(&out_queue) >= QUEUE_LIMIT_BYTES) {
			port_flush(1000);
			continue;
		}
		more = 0;
		if (relay->out >= 0)
			more |= relay_read(relay->out, FRAME_OUT, &relay->out_bytes) > 0;
		if (relay->err >= 0)
			more |= relay_read(relay->err, FRAME_ERR, &relay->err_bytes) > 0;
		if (relay->pty >= 0)
			more |= relay_read(relay->pty, FRAME_OUT, &relay->out_bytes) > 0;
		if (relay->klog >= 0)
			more |= relay_klog(relay);
	}
}

/* ---- the run ---------------------------------------------------------- */

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

static int run(struct job *job)
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
