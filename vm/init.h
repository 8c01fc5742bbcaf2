/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's first process in parts: init.c (the run), init_job.c (what is run),
 * init_modules.c, init_mounts.c (file systems and settings), init_relay.c (output of the
 * command and the kernel), init_session.c (shells beside the command), init_port.c (the
 * host's port, power-off).
 */
#ifndef IPCSCOPE_VM_INIT_H
#define IPCSCOPE_VM_INIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol.h"

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

/* The command's output and the kernel's, on their way to the host. */
struct relay {
	int out, err, pty, klog, child_fd;
	uint64_t out_bytes, err_bytes, klog_lost;
	struct queue input;	/* for the terminal */
	struct queue partial;	/* from the host, not yet a whole frame */
	int acked;
};

/* ---- init_port.c --------------------------------------------------------- */

extern int port;
extern struct queue out_queue;
void power_off(unsigned int value);
long long now_ms(void);
void sleep_ms(long ms);
__attribute__((format(printf, 1, 2), noreturn))
void fatal(const char *format, ...);
size_t queued(const struct queue *q);
void queue_put(struct queue *q, const void *data, size_t size);
void port_send_to(int session, int type, const void *data, size_t size);
void port_send(int type, const void *data, size_t size);
void port_push(void);
int port_flush(int wait_ms);
char *port_receive(int *type, size_t *size, int wait_ms);
void port_open(void);

/* ---- init_modules.c ------------------------------------------------------ */

void load_modules(void);
void bind_modules(const char *modules);
void load_vmcoreinfo(void);

/* ---- init_mounts.c ------------------------------------------------------- */

void make_directory(const char *path);
void write_file(const char *path, const char *text);
int mount_at(const char *type, const char *path, unsigned long flags,
		    const char *options);
void mount_root(void);
void switch_root(void);
void mount_dev(void);
void mount_sys(void);
void mount_tmp(const struct list *keep);
void mount_shares(const struct list *shares);
int unmount_shares(const struct list *shares);
void set_sysctls(void);
void set_limits(void);
void loopback_up(void);

/* ---- init_job.c ---------------------------------------------------------- */

const char *job_parse(struct job *job, char *text, size_t size);
pid_t job_start(const struct job *job, int *pty, int *out, int *err);

/* ---- init_session.c ------------------------------------------------------ */

struct pollfd;
void sessions_init(const struct job *job);
void session_frame(int number, int type, const char *data, size_t size);
void session_reaped(pid_t pid, int status);
void sessions_poll(struct pollfd *p, int room);
void sessions_step(const struct pollfd *p);
void sessions_end(void);

/* ---- init_relay.c -------------------------------------------------------- */

void relay_close(int *fd);
void relay_step(struct relay *relay, int wait_ms);
void relay_drain(struct relay *relay);

#endif
