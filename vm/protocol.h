/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames that vm/supervise (host) and vm/init (guest) exchange over one
 * virtio-serial port, in both directions:
 *
 *     +------+---------+----------+---------+------------------+
 *     | type | session | reserved | length  | length bytes ... |
 *     | u8   | u8      | 2 x 0    | u32 LE  |                  |
 *     +------+---------+----------+---------+------------------+
 *
 * Session 0 is the command. Others are shells and commands that vm/shell --attach adds
 * while it runs: vm/attach sends these frames to vm/supervise over a socket, and supervise
 * passes them on under the session's number.
 *
 * A port is first-in first-out: the STATUS frame is sent last, so once it arrives
 * everything before it has arrived. It also carries the number of
 * output bytes that the guest sent; the host compares them with its own count.
 *
 *     guest                        host
 *       HELLO  release ----------->
 *              <------------------ JOB     (what to run, and a token)
 *       START  -------------------->       (the command is running)
 *       OUT / ERR / KLOG ---------->
 *              <------------------ IN / WINSIZE   (only with a terminal)
 *              <------------------ STACKS   (the command's time is over)
 *       STACKS -------------------->       (they are in the kernel log)
 *       STATUS token, status, .. -->
 *              <------------------ ACK
 *       outb(0xf4) = a second copy of the status: QEMU's exit status
 *
 *     of a session:
 *              <------------------ JOB
 *       OUT / ERR ----------------->
 *              <------------------ IN / WINSIZE / PAUSE / RESUME / CLOSE
 *       EXIT ---------------------->       (always, and last: its number is free again)
 */
#ifndef IPCSCOPE_VM_PROTOCOL_H
#define IPCSCOPE_VM_PROTOCOL_H

#include <stdint.h>

enum frame_type {
	FRAME_HELLO = 'H',	/* guest: uname -r */
	FRAME_JOB = 'J',	/* host: key NUL value NUL, repeated */
	FRAME_START = 'S',	/* guest: empty */
	FRAME_OUT = 'o',	/* guest: bytes of the command's stdout */
	FRAME_ERR = 'e',	/* guest: bytes of the command's stderr */
	FRAME_KLOG = 'k',	/* guest: lines of the kernel log */
	FRAME_IN = 'i',		/* host: bytes for the command's terminal */
	FRAME_WINSIZE = 'w',	/* host: struct frame_winsize */
	FRAME_PAUSE = 'p',	/* host: empty; no output of the session for now */
	FRAME_RESUME = 'r',	/* host: empty */
	FRAME_CLOSE = 'c',	/* host: empty; its user has gone: hang it up */
	FRAME_STACKS = 't',	/* both: empty; all tasks' stacks, into the kernel log; done */
	FRAME_FATAL = 'F',	/* guest: why the command could not be started */
	FRAME_STATUS = 's',	/* guest: struct frame_status */
	FRAME_EXIT = 'x',	/* guest: u32, the status of a session */
	FRAME_ACK = 'a',	/* host: empty; the guest may power off */
};

struct frame_header {
	uint8_t type;
	uint8_t session;
	uint8_t reserved[2];
	uint32_t length_bytes;
};
_Static_assert(sizeof(struct frame_header) == 8, "frame header");

struct frame_winsize {
	uint16_t rows;
	uint16_t columns;
};
_Static_assert(sizeof(struct frame_winsize) == 4, "window size");

#define MAX_SESSIONS 16	/* at once, 1 to 16 */
#define TOKEN_BYTES 32

struct frame_status {
	char token[TOKEN_BYTES];
	uint32_t status;	/* 0..255, as a shell would show it */
	uint32_t share_errors;	/* shares that could not be flushed */
	uint64_t out_bytes;
	uint64_t err_bytes;
	uint64_t klog_lost;	/* kernel log records that were overwritten */
};
_Static_assert(sizeof(struct frame_status) == 64, "status");

#define FRAME_MAX_BYTES (1u << 20)

/* isa-debug-exit: QEMU leaves with (value << 1) | 1. */
#define DEBUG_EXIT_PORT 0xf4
/* Written by init if it fails before the command runs. */
#define DEBUG_EXIT_FATAL 0x55
#define PORT_NAME "ipcscope"

#endif
