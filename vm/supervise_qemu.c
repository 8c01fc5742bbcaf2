// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU, for vm/supervise: its start and end, and its control socket (QMP), by which it
 * says how the guest ended and writes the guest's memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise.h"

#define QEMU_EXTRA_ARGS (16 + 4 * MAX_EXPORTS)
#define DUMP_LIMIT_MS 120000
#define CONSOLE_BYTES (1 << 20)		/* what any user can have */

/* In the child: the file servers' sockets. The arguments live until exec. */
static int add_exports(const struct guest *g, char **argv, int argc)
{
	static char chardev[MAX_EXPORTS][64], device[MAX_EXPORTS][256];

	for (int i = 0; i < g->opt->exports; i++) {
		fcntl(g->export[i], F_SETFD, 0);
		snprintf(chardev[i], sizeof(chardev[i]), "socket,id=files%d,fd=%d", i,
			 g->export[i]);
		snprintf(device[i], sizeof(device[i]),
			 "vhost-user-fs-pci,chardev=files%d,tag=%s", i, g->opt->export[i].tag);
		argv[argc++] = "-chardev";
		argv[argc++] = chardev[i];
		argv[argc++] = "-device";
		argv[argc++] = device[i];
	}
	return argc;
}

static void qemu_exec(const struct guest *g, const char *kernel,
		      int port, int console, int qmp, int output)
{
	const struct options *opt = g->opt;
	char port_arg[64], console_arg[64], qmp_arg[64];
	char *argv[512];
	sigset_t none;
	int argc = 0, null = open("/dev/null", O_RDONLY);

	while (opt->qemu[argc] && argc < 512 - QEMU_EXTRA_ARGS) {
		argv[argc] = opt->qemu[argc];
		argc++;
	}
	snprintf(port_arg, sizeof(port_arg), "socket,id=port,fd=%d", port);
	snprintf(console_arg, sizeof(console_arg), "file,id=console,path=/proc/self/fd/%d",
		 console);
	argv[argc++] = "-kernel";
	argv[argc++] = (char *)kernel;
	argv[argc++] = "-chardev";
	argv[argc++] = port_arg;
	argv[argc++] = "-device";
	argv[argc++] = "virtserialport,nr=1,chardev=port,name=" PORT_NAME;
	argv[argc++] = "-chardev";
	argv[argc++] = console_arg;
	argv[argc++] = "-serial";
	argv[argc++] = "chardev:console";
	snprintf(qmp_arg, sizeof(qmp_arg), "socket,id=qmp,fd=%d", qmp);
	argv[argc++] = "-chardev";
	argv[argc++] = qmp_arg;
	argv[argc++] = "-mon";
	argv[argc++] = "chardev=qmp,mode=control";
	if (opt->dump) {
		/* A guest that is over stays as it is until its memory is written. */
		argv[argc++] = "-action";
		argv[argc++] = "shutdown=pause";
		argv[argc++] = "-device";
		argv[argc++] = "vmcoreinfo";
	}
	argc = add_exports(g, argv, argc);
	argv[argc] = NULL;

	dup2(null, 0);
	dup2(output, 1);
	dup2(output, 2);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	fcntl(port, F_SETFD, 0);
	fcntl(console, F_SETFD, 0);
	fcntl(qmp, F_SETFD, 0);
	execvp(argv[0], argv);
	dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void qmp_send(struct guest *g, const char *command)
{
	buffer_append(&g->to_qmp, command, strlen(command));
	buffer_append(&g->to_qmp, "\n", 1);
}

void qemu_start(struct guest *g, const char *kernel)
{
	int port[2], console[2], qmp[2], output[2];
	pid_t parent = getpid();

	/*
	 * QEMU writes the console byte by byte. A socket is full after some hundred such
	 * writes, and what the guest writes while this process is not scheduled is lost: its
	 * driver waits for 10 ms. A pipe holds as many bytes as it has room.
	 */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, port) ||
	    pipe2(console, O_CLOEXEC) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp) ||
	    pipe2(output, O_CLOEXEC))
		die("cannot make a channel");
	fcntl(console[1], F_SETPIPE_SZ, CONSOLE_BYTES);
	g->started_ms = now_ms();
	exports_start(g, output[1]);
	g->pid = fork();
	if (g->pid < 0)
		die("fork");
	if (!g->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		qemu_exec(g, kernel, port[1], console[1], qmp[1], output[1]);
	}
	for (int i = 0; i < g->opt->exports; i++)
		close(g->export[i]);
	close(port[1]);
	close(console[1]);
	close(qmp[1]);
	close(output[1]);
	g->port = port[0];
	g->console = console[0];
	g->qmp = qmp[0];
	g->qemu_output = output[0];
	fcntl(g->port, F_SETFL, O_NONBLOCK);
	fcntl(g->console, F_SETFL, O_NONBLOCK);
	fcntl(g->qmp, F_SETFL, O_NONBLOCK);
	fcntl(g->qemu_output, F_SETFL, O_NONBLOCK);
	qmp_send(g, "{\"execute\":\"qmp_capabilities\"}");
	buffer_append_frame(&g->to_port, FRAME_JOB, g->opt->job.data, buffer_used(&g->opt->job));
}

void qemu_end(struct guest *g)
{
	if (!g->reaped) {
		kill(g->pid, SIGKILL);
		waitpid(g->pid, &g->qemu_status, 0);
		g->reaped = 1;
	}
	exports_end(g);
}

/* The guest's memory, as an ELF core file; its processors stand still from now on. */
static void dump_memory(struct guest *g)
{
	char command[4096];

	g->dump_ms = now_ms();
	snprintf(command, sizeof(command),
		 "{\"execute\":\"stop\"}\n{\"execute\":\"dump-guest-memory\",\"id\":\"dump\","
		 "\"arguments\":{\"paging\":false,\"protocol\":\"file:%s\"}}", g->opt->dump);
	qmp_send(g, command);
}

static void qmp_line(struct guest *g, const char *line)
{
	if (strstr(line, "\"SHUTDOWN\"")) {
		if (!strstr(line, "\"guest\": true"))
			return;		/* our own quit */
		g->shut_down = strstr(line, "\"guest-shutdown\"") != NULL;
		g->was_reset = !g->shut_down;
		if (!g->opt->dump)
			return;
		if (g->have_status || !g->was_reset)
			qmp_send(g, "{\"execute\":\"quit\"}");
		else if (!g->dump_ms)
			dump_memory(g);
	} else if (strstr(line, "\"id\": \"dump\"")) {
		g->dumped = !strstr(line, "\"error\"");
		if (!g->dumped)
			print_message("--dump %s: QEMU: %s", g->opt->dump, line);
		if (g->was_reset)
			qmp_send(g, "{\"execute\":\"quit\"}");
		g->dump_ms = -1;
	}
}

void read_qmp(struct guest *g)
{
	read_into(&g->qmp, &g->qmp_in, 0);
	while (buffer_used(&g->qmp_in)) {
		char *at = g->qmp_in.data + g->qmp_in.head;
		char *end = memchr(at, '\n', buffer_used(&g->qmp_in));

		if (!end)
			return;
		*end = 0;
		qmp_line(g, at);
		g->qmp_in.head += end + 1 - at;
	}
}

/* False until the guest's memory is written, where a dump is wanted. */
int have_dump(struct guest *g, long long now)
{
	if (!g->opt->dump || g->dump_ms < 0)
		return 1;
	if (!g->dump_ms)
		dump_memory(g);
	return now - g->dump_ms > DUMP_LIMIT_MS;
}
