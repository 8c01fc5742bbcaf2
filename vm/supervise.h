/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm/supervise in parts: supervise.c (the start, the loop), supervise_qemu.c (QEMU and
 * its control socket), supervise_frames.c (what the guest sends), supervise_files.c (virtiofsd),
 * supervise_session.c (shells beside the command), supervise_verdict.c (what came out),
 * supervise_util.c (byte queues, messages, the terminal).
 */
#ifndef IPCSCOPE_VM_SUPERVISE_H
#define IPCSCOPE_VM_SUPERVISE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "protocol.h"

#define EXIT_USAGE 2
#define EXIT_TIMEOUT 124
#define EXIT_NO_VERDICT 125
#define EXIT_SPLAT 126

#define PANIC "Kernel panic - not syncing"

#define MAX_KERNELS 4
#define MAX_SCAN_ARGS 128
#define MAX_EXPORTS 16

struct buffer {
	char *data;
	size_t head, tail, size;
};

/* A directory that the guest gets by virtiofs. */
struct export {
	const char *tag, *path;
	int writable;
};

struct options {
	const char *kernel[MAX_KERNELS];
	int kernels;
	const char *unbootable_mark;
	const char *verdict_file;
	const char *gdb;	/* the directory of gdb's socket */
	const char *dump;	/* the guest's memory goes there if it dies or hangs */
	const char *virtiofsd;	/* the program */
	struct export export[MAX_EXPORTS];
	int exports;
	FILE *log;		/* the console, as it comes; NULL: not kept */
	char *scan[MAX_SCAN_ARGS + 2];
	int scan_args;
	double timeout_s, boot_timeout_s;
	int tty, verbose;
	int listener;	/* for vm/attach */
	struct buffer job;
	char **qemu, **command;
};

/* A shell or command of vm/attach. */
struct session {
	int fd;		/* -1: its user has gone */
	int used, started, paused, ended;
	struct buffer in, out;
};

/* A terminal's keys. */
struct keys {
	int open;	/* there can be more */
	int escapes;	/* Ctrl-] in a row */
};

struct guest {
	const struct options *opt;
	pid_t pid;
	int port, console, qemu_output, signals;
	int qmp;		/* QEMU's control socket */
	pid_t virtiofsd[MAX_EXPORTS];
	int export[MAX_EXPORTS];	/* QEMU's ends of their sockets */
	struct session session[MAX_SESSIONS];
	struct buffer in, to_port, out, err;	/* byte queues */
	struct buffer qmp_in, to_qmp;
	struct buffer klog, console_log, qemu_log;
	struct frame_status status;
	char token[TOKEN_BYTES];
	uint64_t out_bytes, err_bytes;
	long long started_ms, running_ms, acked_ms;
	long long stacks_ms, klog_ms;	/* asked for the stacks; last line of the log */
	long long dump_ms;	/* asked for the dump */
	long long panic_ms, console_ms;	/* panicked in its boot; last byte of the console */
	int shut_down, was_reset;	/* the guest's doing, as QEMU says: one or the other */
	int dumped;
	int hello, running, have_status, have_stacks;
	struct keys keys;
	int reaped, qemu_status;
	int verdict;	/* -1 while there is none */
	const char *reason;	/* for the verdict file; NULL: the command's own status */
};

/* ---- supervise_util.c ------------------------------------------------- */

extern const char *program_name;
void terminal_restore(void);
__attribute__((format(printf, 1, 2)))
void print_message(const char *format, ...);
__attribute__((noreturn))
void die(const char *what);
long long now_ms(void);
size_t buffer_used(const struct buffer *b);
void buffer_append(struct buffer *b, const void *data, size_t size);
void buffer_append_log(struct buffer *b, const void *data, size_t size);
void buffer_append_session_frame(struct buffer *b, int session, int type, const void *data,
				 size_t size);
void buffer_append_frame(struct buffer *b, int type, const void *data, size_t size);
void job_add(struct options *opt, const char *key, const char *value);
int read_into(int *fd, struct buffer *b, int log);
void drain_socket(int fd, struct buffer *b);
int block_signals(int one_more);
void terminal_raw(struct options *opt);
void terminal_send_size(struct buffer *frames);
int keys_forward(struct keys *keys, struct buffer *frames);
socklen_t session_address(struct sockaddr_un *address, pid_t pid);

/* ---- supervise_qemu.c ------------------------------------------------- */

void qemu_start(struct guest *g, const char *kernel);
void qemu_end(struct guest *g);
void read_qmp(struct guest *g);
int have_dump(struct guest *g, long long now);

/* ---- supervise_files.c ------------------------------------------------ */

int export_add(struct options *opt, char *text);
void exports_start(struct guest *g, int output);
void exports_end(struct guest *g);

/* ---- supervise_session.c ---------------------------------------------- */

struct pollfd;
int sessions_listen(void);
void sessions_start(struct guest *g);
void session_frame(struct guest *g, int number, int type, const void *data, size_t size);
void sessions_poll(const struct guest *g, struct pollfd *p, int room);
void sessions_step(struct guest *g, const struct pollfd *p);
void sessions_end(struct guest *g);

/* ---- supervise_verdict.c ---------------------------------------------- */

int console_has(const struct guest *g, const char *text);
int exit_status_of(struct guest *g);
void write_verdict(const struct guest *g, int code);

/* ---- supervise_frames.c ----------------------------------------------- */

void handle_frames(struct guest *g);

#endif
